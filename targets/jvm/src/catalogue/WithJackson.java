package catalogue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;
import shop.Server;

/** The products by Jackson. */
public final class WithJackson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private WithJackson() {}

    public static void main(String[] arguments) throws IOException {
        Server.serve(Integer.parseInt(arguments[0]), Map.of("products", out -> out.write(MAPPER.writeValueAsBytes(Product.ALL))));
    }
}
