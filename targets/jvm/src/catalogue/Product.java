package catalogue;

import java.util.List;
import java.util.stream.IntStream;

/** Twenty products, as the servers of this package write them as JSON. */
public record Product(int number, String name, double price, boolean inStock, List<String> tags) {
    static final List<Product> ALL =
        IntStream.range(0, 20)
            .mapToObj(at -> new Product(at, "product " + at, 9.99 + at, at % 3 != 0, List.of("new", "sale", "tag " + at)))
            .toList();
}
