package catalogue;

import com.google.gson.Gson;
import java.io.IOException;
import java.util.Map;
import shop.Server;

/** The products by Gson. */
public final class WithGson {
    private static final Gson GSON = new Gson();

    private WithGson() {}

    public static void main(String[] arguments) throws IOException {
        Server.serve(Integer.parseInt(arguments[0]), Map.of("products", Server.text(() -> GSON.toJson(Product.ALL))));
    }
}
