/*
 * A complete ACO Pay client in one file, JDK 17 or newer, nothing else. Debian: default-jdk-headless.
 *
 *     java AcoPay.java vectors [FILE]      signs and verifies the test vectors
 *     java AcoPay.java place --amount 12.50 [--description TEXT] [--mch-trade-no NO] [--extra TEXT] [--notify-url URL]
 *     java AcoPay.java query (--transaction-no NO | --mch-trade-no NO)
 *     java AcoPay.java close (--transaction-no NO | --mch-trade-no NO)
 *     java AcoPay.java notify [--port 8081]      receives notifications
 *
 * The settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey) are read from --settings FILE, by default
 * .acopay/demo.json: the file that the sandbox (npm start) writes. The contract: docs/wire/. The vendor's Java SDK works with
 * this gateway too; this file is for those who want to see what it does, or not to have it.
 *
 * What Java gets wrong by default:
 *   The JDK has no JSON: 90 lines of it are here. Of the libraries, Gson escapes <, >, &, = and ' unless
 *     disableHtmlEscaping() is called; Jackson keeps nulls and writes U+2028 as it is.
 *   String.getBytes() and PrintStream use the machine's charset before JDK 18: always name UTF_8.
 *   TreeMap<String, \u2026> sorts by UTF-16 code unit, as the contract asks.
 *   URLEncoder.encode writes a space as "+". The gateway reads both forms.
 *   KeyFactory reads DER: the keys here only need their Base64 decoded. A PEM's labels must go first.
 *   Base64.getMimeDecoder skips what is not Base64; getDecoder refuses it.
 *   javac reads sources in the machine's charset before JDK 18, so this file is ASCII; arguments are read in it by every JDK, so
 *     Chinese after --description needs a UTF-8 locale.
 */
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

import static java.nio.charset.StandardCharsets.UTF_8;

public class AcoPay {
    static final String SIGN_TYPE = "SHA256withRSA";
    static final String BASE_PATH = "/pay/v1/transactions/";
    static final String VECTORS = "packages/protocol/vectors/signature.json";
    static final Duration TIMEOUT = Duration.ofSeconds(10);
    static final int TRIES = 3;
    /** NONCE_REPEAT, FREQUENCY_LIMIT, SYSTEM_ERROR: the same numbers with a new nonce may succeed. */
    static final Set<String> RETRYABLE = Set.of("1016", "1017", "1500");
    /** The gateway signs no answer to a caller who has not proved who it is. All of these are errors. */
    static final Set<String> MAY_BE_UNSIGNED = Set.of("1001", "1002", "1003", "1017", "1500");
    static final long CLOCK_TOLERANCE_S = 300;
    static final int BODY_BYTES_MAX = 64 * 1024;
    static final String HEARD = "{\"status\":\"SUCCESS\",\"message\":\"\u6210\u529f\"}";
    static final String NOT_HEARD = "{\"status\":\"FAIL\",\"message\":\"\u5931\u8d25\"}";
    static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);
    static final PrintStream ERR = new PrintStream(System.err, true, UTF_8);
    static final SecureRandom RANDOM = new SecureRandom();

    /** Its text is for the person at the terminal. */
    static class Failure extends Exception {
        Failure(String text) {
            super(text);
        }
    }

    /** Whether the request was carried out is unknown. It may be sent again with the same numbers. */
    static final class Unreachable extends Failure {
        Unreachable(String text) {
            super(text);
        }
    }

    // -- JSON: objects are maps, numbers keep their digits ---------------------------------------------------------------

    record Digits(String text) {
        @Override
        public String toString() {
            return text;
        }
    }

    static final class Json {
        private final String text;
        private int at;

        private Json(String text) {
            this.text = text;
        }

        /** Throws IllegalArgumentException for a text that is not one JSON object. */
        @SuppressWarnings("unchecked")
        static Map<String, Object> object(String text) {
            Json reader = new Json(text);
            Object value = reader.value(0);
            reader.blanks();
            if (reader.at != text.length() || !(value instanceof Map)) throw new IllegalArgumentException("not a JSON object");
            return (Map<String, Object>) value;
        }

        private Object value(int depth) {
            blanks();
            if (depth > 32 || at == text.length()) throw wrong();
            switch (text.charAt(at)) {
                case '{':
                    Map<String, Object> members = new LinkedHashMap<>();
                    for (boolean isFirst = true; next(isFirst, '}'); isFirst = false) {
                        String name = quoted();
                        expect(':');
                        members.put(name, value(depth + 1));
                    }
                    return members;
                case '[':
                    List<Object> list = new ArrayList<>();
                    for (boolean isFirst = true; next(isFirst, ']'); isFirst = false) list.add(value(depth + 1));
                    return list;
                case '"':
                    return quoted();
                default:
                    return word();
            }
        }

        /** Whether another member follows; passes the bracket or the comma before it, or the bracket at the end. */
        private boolean next(boolean isFirst, char end) {
            if (isFirst) at += 1;
            blanks();
            if (at < text.length() && text.charAt(at) == end) {
                at += 1;
                return false;
            }
            if (!isFirst) expect(',');
            blanks();
            return true;
        }

        private String quoted() {
            expect('"');
            StringBuilder read = new StringBuilder();
            for (; at < text.length(); at += 1) {
                char letter = text.charAt(at);
                if (letter == '"') {
                    at += 1;
                    return read.toString();
                }
                if (letter < 0x20) throw wrong();
                read.append(letter == '\\' ? escaped() : letter);
            }
            throw wrong();
        }

        private char escaped() {
            at += 1;
            int place = at < text.length() ? "\"\\/bfnrt".indexOf(text.charAt(at)) : -1;
            if (place >= 0) return "\"\\/\b\f\n\r\t".charAt(place);
            if (at + 4 >= text.length() || text.charAt(at) != 'u') throw wrong();
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 3, at + 1), 16);
        }

        private Object word() {
            int from = at;
            while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) at += 1;
            String word = text.substring(from, at);
            if (word.equals("null")) return null;
            if (word.equals("true") || word.equals("false")) return Boolean.valueOf(word);
            if (!word.matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?")) throw wrong();
            return new Digits(word);
        }

        private void blanks() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at += 1;
        }

        private void expect(char letter) {
            blanks();
            if (at == text.length() || text.charAt(at) != letter) throw wrong();
            at += 1;
        }

        private IllegalArgumentException wrong() {
            return new IllegalArgumentException("not JSON at character " + at);
        }
    }

    // -- signing -------------------------------------------------------------------------------------------------------

    /** The text that both sides sign: compact JSON, names in UTF-16 order, nulls dropped, few escapes. */
    static String canonical(Object value) {
        if (value instanceof Map<?, ?> members) {
            TreeMap<String, Object> sorted = new TreeMap<>();
            members.forEach((name, member) -> {
                if (member != null) sorted.put((String) name, member);
            });
            return sorted.entrySet().stream()
                .map(member -> quote(member.getKey()) + ":" + canonical(member.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof List<?> list) {
            return list.stream().map(AcoPay::canonical).collect(Collectors.joining(",", "[", "]"));
        }
        return value instanceof String text ? quote(text) : String.valueOf(value);
    }

    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        // By code point, so that half of a surrogate pair is seen as such; it is signed as "?".
        text.codePoints().forEach(letter -> {
            int place = "\"\\\b\f\n\r\t".indexOf(letter);
            if (place >= 0) quoted.append('\\').append("\"\\bfnrt".charAt(place));
            else if (letter < 0x20 || letter == 0x2028 || letter == 0x2029) quoted.append(String.format("\\u%04x", letter));
            else if (letter >= 0xd800 && letter <= 0xdfff) quoted.append('?');
            else quoted.appendCodePoint(letter);
        });
        return quoted.append('"').toString();
    }

    static Map<String, Object> without(Map<String, Object> members, String... left) {
        Map<String, Object> kept = new HashMap<>(members);
        kept.keySet().removeIf(name -> name.isBlank() || List.of(left).contains(name));
        return kept;
    }

    static String requestText(Map<String, Object> params, String mchNo, String nonce) {
        Map<String, Object> signed = without(params, "aco_pay_sdk", "version");
        signed.put("mch_no", mchNo);
        signed.put("nonce", nonce);
        signed.put("sign_type", SIGN_TYPE);
        return canonical(signed);
    }

    @SuppressWarnings("unchecked")
    static String answerText(Map<String, Object> envelope) {
        Map<String, Object> signed = without(envelope);
        if (envelope.get("data") instanceof Map<?, ?> data) signed.put("data", without((Map<String, Object>) data, "sign"));
        return canonical(signed);
    }

    static String notificationText(Map<String, Object> body) {
        return canonical(without(body, "sign"));
    }

    static PrivateKey privateKey(String text) throws GeneralSecurityException {
        return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
    }

    static PublicKey publicKey(String text) throws GeneralSecurityException {
        return KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(text)));
    }

    static String sign(String text, PrivateKey key) throws GeneralSecurityException {
        Signature signing = Signature.getInstance(SIGN_TYPE);
        signing.initSign(key);
        signing.update(text.getBytes(UTF_8));
        return Base64.getEncoder().encodeToString(signing.sign());
    }

    static boolean verifies(String text, Object signature, PublicKey key) {
        if (!(signature instanceof String base64)) return false;
        try {
            Signature checking = Signature.getInstance(SIGN_TYPE);
            checking.initVerify(key);
            checking.update(text.getBytes(UTF_8));
            return checking.verify(Base64.getDecoder().decode(base64));
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            return false;
        }
    }

    // -- calls ---------------------------------------------------------------------------------------------------------

    final String baseUrl;
    final String mchNo;
    final String appNo;
    final PrivateKey privateKey;
    final PublicKey platformKey;
    // HttpClient follows no redirect unless it is told to: one would carry the signed request to another host.
    final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    AcoPay(String file) throws IOException, GeneralSecurityException {
        Map<String, Object> settings = Json.object(Files.readString(Path.of(file)));
        baseUrl = ((String) settings.get("baseUrl")).replaceAll("/+$", "");
        mchNo = (String) settings.get("mchNo");
        appNo = (String) settings.get("appNo");
        privateKey = privateKey((String) settings.get("mchPrivateKey"));
        platformKey = publicKey((String) settings.get("platformPublicKey"));
    }

    /** Sends until it is answered, at most three times, with the same numbers and a new nonce. Every call is idempotent. */
    @SuppressWarnings("unchecked")
    Map<String, Object> call(String method, String path, Map<String, Object> params) throws Exception {
        for (int tried = 1; ; tried += 1) {
            Failure failure;
            try {
                Map<String, Object> envelope = sendOnce(method, path, params);
                String status = String.valueOf(envelope.get("status"));
                if (status.equals("200")) return (Map<String, Object>) envelope.get("data");
                failure = new Failure(status + " " + envelope.get("message") + " " + envelope.get("fieldErrors"));
                if (!RETRYABLE.contains(status)) throw failure;
            } catch (Unreachable unreachable) {
                failure = unreachable;
            }
            if (tried == TRIES) throw failure;
            Thread.sleep(200L << tried);
        }
    }

    Map<String, Object> sendOnce(String method, String path, Map<String, Object> params) throws Exception {
        String nonce = random(16);
        String url = baseUrl + BASE_PATH + path;
        HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.noBody();
        if (method.equals("GET")) {
            url += params.entrySet().stream()
                .map(one -> one.getKey() + "=" + URLEncoder.encode((String) one.getValue(), UTF_8))
                .collect(Collectors.joining("&", "?", ""));
        } else {
            // Any JSON will do for what travels: the parsed values are signed. The canonical text is JSON too.
            body = HttpRequest.BodyPublishers.ofString(canonical(params), UTF_8);
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
            .timeout(TIMEOUT)
            .header("x-acopay-mch-no", mchNo)
            .header("x-acopay-nonce", nonce)
            .header("x-acopay-sign-type", SIGN_TYPE)
            .header("x-acopay-sign", sign(requestText(params, mchNo, nonce), privateKey))
            .header("content-type", "application/json; charset=utf-8")
            .method(method, body)
            .build();
        HttpResponse<String> response;
        try {
            response = http.send(request, HttpResponse.BodyHandlers.ofString(UTF_8));
        } catch (IOException error) {
            throw new Unreachable("no answer (" + error + "); query the order before you do anything else");
        }
        int httpStatus = response.statusCode();
        if (httpStatus >= 500 || httpStatus == 429) throw new Unreachable("HTTP " + httpStatus);
        if (httpStatus != 200) throw new Failure("HTTP " + httpStatus + ": is baseUrl right?");
        return readAnswer(params, response.body());
    }

    /** The envelope, when the platform signed it and it is about what was asked. */
    @SuppressWarnings("unchecked")
    Map<String, Object> readAnswer(Map<String, Object> params, String body) throws Failure {
        Map<String, Object> envelope;
        Map<String, Object> data;
        try {
            envelope = Json.object(body);
            data = (Map<String, Object>) envelope.get("data");
        } catch (IllegalArgumentException | ClassCastException error) {
            throw new Failure("the answer is not an envelope: is baseUrl right?");
        }
        String status = String.valueOf(envelope.get("status"));
        if (data == null || data.get("sign") == null) {
            if (!MAY_BE_UNSIGNED.contains(status)) throw new Failure("the answer " + status + " is not signed");
            return envelope;
        }
        boolean isOurs = mchNo.equals(data.get("mch_no")) && SIGN_TYPE.equals(data.get("sign_type"));
        if (!isOurs || !verifies(answerText(envelope), data.get("sign"), platformKey)) {
            throw new Failure("the answer's signature does not verify with platformPublicKey");
        }
        // A signed answer about another order proves nothing about this one. The platform's number wins.
        String name = params.containsKey("transaction_no") ? "transaction_no" : "mch_trade_no";
        if (status.equals("200") && !Objects.equals(data.get(name), params.get(name))) {
            throw new Failure("the answer is about another order");
        }
        return envelope;
    }

    static String random(int bytes) {
        byte[] random = new byte[bytes];
        RANDOM.nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /** Your own number of an order: store it before you place the order. 24 to 50 letters, digits, "_" and "-". */
    static String newTradeNo() {
        return DateTimeFormatter.ofPattern("yyyyMMddHHmmss").withZone(ZoneOffset.UTC).format(Instant.now()) + random(10);
    }

    Map<String, Object> place(Map<String, String> asked) throws Exception {
        Map<String, Object> params = new HashMap<>();
        params.put("app_no", appNo);
        params.put("mch_trade_no", asked.getOrDefault("mch-trade-no", newTradeNo()));
        params.put("description", asked.getOrDefault("description", "\u6d4b\u8bd5\u8ba2\u5355"));
        params.put("amount_total", asked.get("amount")); // a text with two decimals, never a number
        params.put("amount_currency", "CNY");
        params.put("extra", asked.get("extra"));
        params.put("notify_url", asked.get("notify-url"));
        params.values().removeIf(Objects::isNull);
        return call("POST", "trade", params);
    }

    // -- notifications -------------------------------------------------------------------------------------------------

    final Set<String> heard = new HashSet<>();

    record Answer(int httpStatus, String body) {}

    /** `body` are the bytes as they came, before any JSON parser. */
    Answer hear(byte[] body) {
        if (body.length > BODY_BYTES_MAX) return new Answer(413, NOT_HEARD);
        Map<String, Object> news;
        try {
            // A new String(\u2026) would hide bytes that are not UTF-8.
            news = Json.object(UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
        } catch (IllegalArgumentException | CharacterCodingException error) {
            return new Answer(400, NOT_HEARD);
        }
        if (!news.values().stream().allMatch(member -> member == null || member instanceof String)) {
            return new Answer(400, NOT_HEARD);
        }
        String doubt = doubtAbout(news);
        if (doubt != null) {
            ERR.println("refused: " + doubt);
            return new Answer(401, NOT_HEARD);
        }
        try {
            once(news);
            return new Answer(200, HEARD);
        } catch (RuntimeException error) { // whatever failed: the gateway shall send it again
            ERR.println("failed: " + error);
            return new Answer(500, NOT_HEARD);
        }
    }

    /** Null when the notification is the platform's, for this merchant and recent. */
    String doubtAbout(Map<String, Object> news) {
        boolean isSigned = verifies(notificationText(news), news.get("sign"), platformKey);
        if (!isSigned || !SIGN_TYPE.equals(news.get("sign_type"))) {
            return "the signature does not verify with platformPublicKey";
        }
        if (!mchNo.equals(news.get("mch_no"))) return "it is for another merchant";
        try {
            OffsetDateTime sentAt = OffsetDateTime.parse(String.valueOf(news.get("notify_time")));
            long ageS = Math.abs(Duration.between(sentAt.toInstant(), Instant.now()).toSeconds());
            return ageS <= CLOCK_TOLERANCE_S ? null : "notify_time is " + ageS + " s away: a replay, or a wrong clock?";
        } catch (DateTimeParseException error) {
            return "it has no notify_time";
        }
    }

    /**
     * nonce and notify_time differ at each delivery; kind, number and code do not. In a shop: insert the event's id into a table
     * with a unique key, in the transaction of your own change; a duplicate key means that it was dealt with.
     */
    synchronized void once(Map<String, Object> news) {
        boolean isRefund = news.get("refund_no") != null;
        String number = String.valueOf(news.get(isRefund ? "refund_no" : "transaction_no"));
        String id = (isRefund ? "refund " : "payment ") + number + " " + news.get("code");
        if (heard.contains(id)) {
            OUT.println("again " + id);
            return;
        }
        // Your own work comes here. Throw for a code that you do not know: the event comes again when you know it.
        OUT.println("event " + id);
        heard.add(id);
    }

    void serve(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/", (HttpExchange exchange) -> {
            try (exchange) {
                Answer answer = hear(exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1));
                byte[] bytes = answer.body().getBytes(UTF_8);
                exchange.getResponseHeaders().set("content-type", "application/json; charset=utf-8");
                exchange.sendResponseHeaders(answer.httpStatus(), bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        });
        server.start();
        OUT.println("listening http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    // -- the command line ----------------------------------------------------------------------------------------------

    @SuppressWarnings("unchecked")
    static boolean checkVectors(String file) throws IOException, GeneralSecurityException {
        Map<String, Object> vectors = Json.object(Files.readString(Path.of(file)));
        Map<String, String> keys = (Map<String, String>) vectors.get("keys");
        boolean areOk = true;
        PrivateKey merchant = privateKey(keys.get("merchantPrivateKey"));
        for (Map<String, Object> row : (List<Map<String, Object>>) vectors.get("requests")) {
            Map<String, Object> params = (Map<String, Object>) row.get("params");
            String text = requestText(params, (String) params.get("mch_no"), (String) params.get("nonce"));
            areOk &= checkVector(row, text, merchant, publicKey(keys.get("merchantPublicKey")));
        }
        PrivateKey platform = privateKey(keys.get("platformPrivateKey"));
        for (Map<String, Object> row : (List<Map<String, Object>>) vectors.get("responses")) {
            Map<String, Object> body = (Map<String, Object>) row.get("body");
            String text = body.containsKey("status") ? answerText(body) : notificationText(body);
            areOk &= checkVector(row, text, platform, publicKey(keys.get("platformPublicKey")));
        }
        return areOk;
    }

    /** Both directions: the same signature is made, the given one verifies, and one for another text does not. */
    static boolean checkVector(Map<String, Object> row, String text, PrivateKey key, PublicKey other)
        throws GeneralSecurityException {
        boolean isOk = text.equals(row.get("canonical"))
            && sign(text, key).equals(row.get("sign"))
            && verifies(text, row.get("sign"), other)
            && !verifies(text + " ", row.get("sign"), other);
        OUT.println((isOk ? "ok " : "FAILED ") + row.get("name"));
        return isOk;
    }

    static void show(Map<String, Object> data) {
        data.forEach((name, value) -> {
            if (value != null && !Set.of("sign", "sign_type", "nonce").contains(name)) OUT.println(name + " " + value);
        });
    }

    static void run(String command, Map<String, String> asked) throws Exception {
        AcoPay client = new AcoPay(asked.getOrDefault("settings", ".acopay/demo.json"));
        Map<String, Object> ref = new HashMap<>();
        if (asked.containsKey("transaction-no")) ref.put("transaction_no", asked.get("transaction-no"));
        if (asked.containsKey("mch-trade-no")) ref.put("mch_trade_no", asked.get("mch-trade-no"));
        switch (command) {
            case "place" -> show(client.place(asked));
            case "query" -> show(client.call("GET", "trade", ref));
            case "close" -> show(client.call("POST", "close", ref));
            case "notify" -> client.serve(Integer.parseInt(asked.getOrDefault("port", "8081")));
            default -> throw new Failure("say one of: vectors, place --amount 12.50, query --transaction-no NO, "
                + "close --transaction-no NO, notify");
        }
    }

    public static void main(String[] args) throws Exception {
        String command = args.length == 0 ? "" : args[0];
        if (command.equals("vectors")) {
            System.exit(checkVectors(args.length > 1 ? args[1] : VECTORS) ? 0 : 1);
        }
        Map<String, String> asked = new HashMap<>();
        for (int i = 1; i + 1 < args.length; i += 2) asked.put(args[i].replaceFirst("^--", ""), args[i + 1]);
        try {
            run(command, asked);
        } catch (Failure | IOException failure) {
            ERR.println(failure instanceof Failure ? failure.getMessage() : failure.toString());
            System.exit(1);
        }
    }
}
