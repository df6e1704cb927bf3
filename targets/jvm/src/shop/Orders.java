package shop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/** What is done with orders, each in the usual way and by a habit that costs. */
final class Orders {
    /** One line of an order. */
    public record Line(String product, int cents) {
        public int getCents() {
            return cents;
        }
    }

    private static final List<Line> LINES =
        IntStream.range(0, 400).mapToObj(at -> new Line("product " + at, 1000 + at * 35)).toList();
    private static final Map<String, Integer> RATES = filled();
    private static final Object LOCK = new Object();
    private static final Map<String, Integer> COUNTS = new HashMap<>();
    private static final LongAdder[] ADDERS =
        IntStream.range(0, 80).mapToObj(at -> new LongAdder()).toArray(LongAdder[]::new);

    private Orders() {}

    static String sumOfNumbers() {
        long sum = 0;
        for (int round = 0; round < 20; round++) {
            for (Line line : LINES) {
                sum += line.cents() * (long) round;
            }
        }
        return Long.toString(sum);
    }

    static String sumOfObjects() {
        List<Long> costs = new ArrayList<>();
        for (int round = 0; round < 20; round++) {
            for (Line line : LINES) {
                costs.add(line.cents() * (long) round);
            }
        }
        Long sum = 0L;
        for (Long cost : costs) {
            sum += cost;
        }
        return sum.toString();
    }

    static String sumByGetter() {
        int sum = 0;
        for (Line line : LINES) {
            sum += line.getCents();
        }
        return Integer.toString(sum);
    }

    static String sumByReflection() {
        int sum = 0;
        try {
            for (Line line : LINES) {
                sum += (Integer) line.getClass().getMethod("getCents").invoke(line);
            }
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
        return Integer.toString(sum);
    }

    private static Map<String, Integer> filled() {
        Map<String, Integer> rates = new HashMap<>();
        for (int at = 0; at < 2000; at++) {
            rates.put("country " + at, at);
        }
        return rates;
    }

    static String rateKept() {
        return RATES.get("country 17").toString();
    }

    static String rateFromNewTable() {
        Map<String, Integer> rates = new HashMap<>();
        for (int at = 0; at < 2000; at++) {
            rates.put("country " + at, at);
        }
        return rates.get("country 17").toString();
    }

    static String soldByAdders() {
        for (int at = 0; at < 4000; at++) {
            ADDERS[at % ADDERS.length].increment();
        }
        return "counted";
    }

    static String soldUnderOneLock() {
        for (int at = 0; at < 4000; at++) {
            synchronized (LOCK) {
                COUNTS.merge(LINES.get(at % LINES.size()).product(), 1, Integer::sum);
            }
        }
        return "counted";
    }
}
