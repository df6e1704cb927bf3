package shop;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** What is done with texts, each in the usual way and by a habit that costs. */
final class Texts {
    private static final Pattern SPACES = Pattern.compile("\\s+");
    private static final Logger LOG = Logger.getLogger("shop");
    private static final List<String> NAMES =
        IntStream.range(0, 120).mapToObj(at -> "product  number   " + at + " of the shop").toList();

    private Texts() {}

    static String tidied() {
        int length = 0;
        for (String name : NAMES) {
            length += SPACES.matcher(name).replaceAll(" ").length();
        }
        return Integer.toString(length);
    }

    static String tidiedByNewExpression() {
        int length = 0;
        for (String name : NAMES) {
            length += Pattern.compile("(?:\\s|\\p{Punct})+|\\p{javaWhitespace}{2,}").matcher(name).replaceAll(" ").length();
        }
        return Integer.toString(length);
    }

    static String listBuilt() {
        StringBuilder list = new StringBuilder();
        for (int round = 0; round < 2; round++) {
            for (String name : NAMES) {
                list.append(name).append(", ");
            }
        }
        return Integer.toString(list.toString().hashCode());
    }

    static String listConcatenated() {
        String list = "";
        for (int round = 0; round < 2; round++) {
            for (String name : NAMES) {
                list += name + ", ";
            }
        }
        return Integer.toString(list.hashCode());
    }

    static String checkedBeforeLogging() {
        for (String name : NAMES) {
            if (LOG.isLoggable(Level.FINE)) {
                LOG.fine(String.format("%-30s is sold for %8.2f", name, name.length() / 3.0));
            }
        }
        return "logged";
    }

    static String loggedForNobody() {
        for (String name : NAMES) {
            LOG.fine(String.format("%-30s is sold for %8.2f", name, name.length() / 3.0));
        }
        return "logged";
    }

    static void pageAtOnce(OutputStream out) throws IOException {
        StringBuilder page = new StringBuilder();
        for (String name : NAMES) {
            page.append(name).append('\n');
        }
        out.write(page.toString().getBytes(StandardCharsets.UTF_8));
    }

    static void pageLineByLine(OutputStream out) throws IOException {
        for (String name : NAMES) {
            out.write(name.getBytes(StandardCharsets.UTF_8));
            out.write('\n');
            out.flush();
        }
    }
}
