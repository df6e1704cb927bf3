package shop;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** A shop with eight paths. The variable HABIT names the one that answers by a habit that costs. */
public final class Shop {
    private record Ways(Server.Page usual, Server.Page habit) {}

    private Shop() {}

    public static void main(String[] arguments) throws IOException {
        String habit = System.getenv().getOrDefault("HABIT", "");
        Map<String, Server.Page> pages = new LinkedHashMap<>();
        ways().forEach((path, ways) -> pages.put(path, path.equals(habit) ? ways.habit() : ways.usual()));
        Server.serve(Integer.parseInt(arguments[0]), pages);
    }

    private static Map<String, Ways> ways() {
        return Map.of(
            "regexp", new Ways(Server.text(Texts::tidied), Server.text(Texts::tidiedByNewExpression)),
            "strings", new Ways(Server.text(Texts::listBuilt), Server.text(Texts::listConcatenated)),
            "logging", new Ways(Server.text(Texts::checkedBeforeLogging), Server.text(Texts::loggedForNobody)),
            "buffer", new Ways(Texts::pageAtOnce, Texts::pageLineByLine),
            "boxing", new Ways(Server.text(Orders::sumOfNumbers), Server.text(Orders::sumOfObjects)),
            "reflection", new Ways(Server.text(Orders::sumByGetter), Server.text(Orders::sumByReflection)),
            "table", new Ways(Server.text(Orders::rateKept), Server.text(Orders::rateFromNewTable)),
            "lock", new Ways(Server.text(Orders::soldByAdders), Server.text(Orders::soldUnderOneLock)),
            "control", new Ways(Server.text(Orders::sumByGetter), Server.text(Orders::sumByGetter)));
    }
}
