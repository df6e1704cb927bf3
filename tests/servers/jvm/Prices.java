import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;

/** A server whose every request spends its time in `total`, and allocates in `list`. */
public class Prices {
    static String[] list(int many) {
        String[] prices = new String[many];
        for (int i = 0; i < many; i++) {
            prices[i] = new String("price " + i);
        }
        return prices;
    }

    static long total(String[] prices) {
        long sum = 0;
        for (int round = 0; round < 20; round++) {
            for (String price : prices) {
                for (int i = 0; i < price.length(); i++) {
                    sum = sum * 31 + price.charAt(i);
                }
            }
        }
        return sum;
    }

    static void handle(HttpExchange exchange) throws IOException {
        byte[] answer = Long.toString(total(list(200))).getBytes();
        exchange.sendResponseHeaders(200, answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.createContext("/", Prices::handle);
        server.start();
        System.out.println("ready");
    }
}
