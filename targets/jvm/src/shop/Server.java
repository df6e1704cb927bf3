package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;

/** The JDK's own HTTP server, with two threads, which answers each path by the text of a function. */
public final class Server {
    /** What answers a path: it writes its text to the response. */
    public interface Page {
        void write(OutputStream out) throws IOException;
    }

    private Server() {}

    /** A page whose text is made first and written at once. */
    public static Page text(java.util.function.Supplier<String> made) {
        return out -> out.write(made.get().getBytes(StandardCharsets.UTF_8));
    }

    public static void serve(int port, Map<String, Page> pages) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(2));
        pages.forEach((path, page) -> server.createContext("/" + path, exchange -> answer(exchange, page)));
        server.start();
        System.out.println("ready port=" + server.getAddress().getPort());
    }

    private static void answer(HttpExchange exchange, Page page) throws IOException {
        exchange.getRequestBody().readAllBytes();
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream body = exchange.getResponseBody()) {
            page.write(body);
        }
    }
}
