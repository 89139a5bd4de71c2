package shop;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.scheduling.annotation.Scheduled;

/** A shop that sells one thing, with its tables. */
public class Shop extends AcoPay {
    static final String DESCRIPTION = "\u4e00\u676f\u5496\u5561 A coffee";
    static final String AMOUNT = "12.50"; // yuan, a text with two decimals
    /** For so long an order can be paid: the gateway allows one minute to seven days. */
    static final Duration KEPT = Duration.ofMinutes(15);
    static final int SWEPT_MAX = 100;
    /** Texts of one length, which sort as the times do. */
    static final DateTimeFormatter UTC = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    static final List<String> TABLES = List.of(
        "create table if not exists orders (number text primary key, amount text not null, "
            + "state text not null default 'open' check (state in ('open', 'closed', 'paid', 'returned')), closes_at text not null)",
        "create index if not exists orders_open on orders (closes_at) where state = 'open'",
        "create table if not exists parcels (id integer primary key, order_number text not null references orders)",
        "create table if not exists refunds (number text primary key, order_number text not null, amount text not null, "
            + "state text not null)",
        "create table if not exists acopay_event (event_id text primary key, heard_at text not null default current_timestamp)");

    public record Order(String number, String amount, String state, int parcels) {}

    private final DataSource database;
    private final String url;

    /** `settings`: the JSON file with baseUrl, mchNo, appNo and the keys. `url`: this shop, as the gateway reaches it. */
    Shop(DataSource database, String settings, String url) throws Exception {
        super(settings);
        this.database = database;
        this.url = url.replaceAll("/+$", "");
        change(db -> {
            for (String table : TABLES) update(db, table);
            return null;
        });
    }

    public Map<String, Object> placeOrder() throws Exception {
        String number = newTradeNo();
        Instant closesAt = Instant.now().plus(KEPT).truncatedTo(ChronoUnit.SECONDS);
        // Stored first: should the answer be lost, the order is known and closed later.
        change(db -> update(db, "insert into orders (number, amount, closes_at) values (?, ?, ?)",
            number, AMOUNT, UTC.format(closesAt)));
        Map<String, Object> placed = call("POST", "trade", Map.of(
            "app_no", appNo,
            "mch_trade_no", number,
            "description", DESCRIPTION,
            "amount_total", AMOUNT,
            "amount_currency", "CNY",
            "time_expire", DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(closesAt.atOffset(ZoneOffset.ofHours(8))),
            "notify_url", url + "/acopay/notify"));
        return Map.of("number", number, "cashierUrl", placed.get("cashier_url"));
    }

    /** Null: there is no such order. */
    public Order findOrder(String number) {
        return change(db -> {
            String select = "select amount, state, (select count(*) from parcels where order_number = number) from orders where number = ?";
            try (PreparedStatement statement = db.prepareStatement(select)) {
                statement.setString(1, number);
                ResultSet row = statement.executeQuery();
                return row.next() ? new Order(number, row.getString(1), row.getString(2), row.getInt(3)) : null;
            }
        });
    }

    /**
     * closed; paid: the payer was faster; closing: not confirmed yet, and the shop goes on asking. Null: there is no such order.
     * Whoever knows the number may close the order: it cannot be guessed.
     */
    public String closeOrder(String number) throws Exception {
        Order order = findOrder(number);
        if (order == null) return null;
        if (!order.state().equals("open")) return order.state().equals("closed") ? "closed" : "paid";
        // Stored first: if this process dies now, or the gateway does not answer, the sweep closes the order.
        change(db -> update(db, "update orders set closes_at = min(closes_at, ?) where number = ?", UTC.format(Instant.now()), number));
        String outcome = askToClose(number);
        if (!outcome.equals("closed")) return outcome; // a payment is believed, and delivered, when the notification comes
        change(db -> update(db, "update orders set state = 'closed' where number = ? and state = 'open'", number));
        return "closed";
    }

    private String askToClose(String number) throws Exception {
        Map<String, Object> answer;
        try {
            answer = call("POST", "close", Map.of("mch_trade_no", number));
        } catch (Failure failure) {
            // Only an order whose placing failed is unknown to the gateway, and no payer was sent to it.
            if (failure.getMessage().startsWith("1007 ")) return "closed";
            throw failure;
        }
        if ("SUCCESS".equals(answer.get("code"))) return "closed";
        return switch (String.valueOf(answer.get("description"))) {
            case "\u8ba2\u5355\u5df2\u8fc7\u671f" -> "closed"; // it expired, which is as final
            case "\u8ba2\u5355\u5df2\u652f\u4ed8" -> "paid";
            default -> "closing"; // promises nothing
        };
    }

    /** Closes orders whose time is over, and those that could not be closed when it was asked. */
    @Scheduled(fixedDelay = 5000)
    public void sweep() {
        String now = UTC.format(Instant.now());
        List<String> due = change(db -> {
            String select = "select number from orders where state = 'open' and closes_at <= ? order by closes_at limit " + SWEPT_MAX;
            try (PreparedStatement statement = db.prepareStatement(select)) {
                statement.setString(1, now);
                ResultSet rows = statement.executeQuery();
                List<String> numbers = new ArrayList<>();
                while (rows.next()) numbers.add(rows.getString(1));
                return numbers;
            }
        });
        for (String number : due) {
            try {
                closeOrder(number);
            } catch (Exception failure) {
                ERR.println("could not close " + number + ", trying again later: " + failure.getMessage());
            }
        }
    }

    /**
     * Called for a notification that is proven. The memory of the event and the shop's own change are one transaction: a repeated
     * event changes nothing. What is thrown here answers the gateway with FAIL, and it sends the event again.
     */
    @Override
    void once(Map<String, Object> news) {
        boolean isRefund = news.get("refund_no") != null;
        String code = String.valueOf(news.get("code"));
        String id = (isRefund ? "refund " : "payment ") + news.get(isRefund ? "refund_no" : "transaction_no") + " " + code;
        change(db -> {
            boolean isNew = update(db, "insert into acopay_event (event_id) values (?) on conflict do nothing", id) == 1;
            if (!isNew) return null;
            if (isRefund) {
                update(db, "insert or replace into refunds (number, order_number, amount, state) values (?, ?, ?, ?)",
                    news.get("mch_refund_no"), news.get("mch_trade_no"), news.get("refund_amount"), code);
            } else {
                heardOfPayment(db, news, code);
            }
            return null;
        });
    }

    private static void heardOfPayment(Connection db, Map<String, Object> news, String code) throws SQLException {
        String state = switch (code) {
            case "SUCCESS" -> "paid";
            case "REFUND" -> "returned"; // the payment was returned outside of the gateway
            default -> throw new IllegalStateException("a notification of an unknown kind: " + code);
        };
        Object number = news.get("mch_trade_no");
        Object amount = news.get("amount_total");
        if (update(db, "update orders set state = ? where number = ? and amount = ?", state, number, amount) != 1) {
            throw new IllegalStateException("no order " + number + " of " + amount);
        }
        // The shop's own work: deliver.
        if (state.equals("paid")) update(db, "insert into parcels (order_number) values (?)", number);
    }

    // -- the database ----------------------------------------------------------------------------------------------------

    interface Work<Result> {
        Result with(Connection db) throws SQLException;
    }

    /** Runs `work` in a transaction of its own: all of it is kept, or nothing. Keep calls to other servers out of it. */
    private <Result> Result change(Work<Result> work) {
        try (Connection db = database.getConnection()) {
            db.setAutoCommit(false);
            try {
                Result result = work.with(db);
                db.commit();
                return result;
            } catch (SQLException | RuntimeException error) {
                db.rollback();
                throw error;
            }
        } catch (SQLException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Answers how many rows were changed. */
    private static int update(Connection db, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i += 1) statement.setObject(i + 1, values[i]);
            return statement.executeUpdate();
        }
    }
}
