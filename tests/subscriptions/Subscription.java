// A subscription in three steps: register a billing key on a page, charge it, and take a no for a no.
// Only the JDK: java Subscription.java. A project of yours has a library for JSON.
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static java.nio.charset.StandardCharsets.UTF_8;

public class Subscription {
    static final String GATEWAY = System.getenv("MAEDAL_URL");
    static final String CUSTOMER = "member_1"; // in your shop, one for each customer
    static final HttpClient HTTP = HttpClient.newHttpClient();

    record Answer(int status, String body) {
        String get(String name) {
            return read(body, name);
        }
    }

    public static void main(String[] args) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", exchange -> {
            String type = "application/json", content;
            try {
                if (exchange.getRequestMethod().equals("GET")) {
                    type = "text/html; charset=utf-8";
                    content = Files.readString(Path.of("page.html")).replace("{{gateway}}", GATEWAY)
                            .replace("{{code}}", System.getenv("MAEDAL_CODE")).replace("{{customer_uid}}", CUSTOMER);
                } else {
                    String asked = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
                    content = exchange.getRequestURI().getPath().equals("/registered")
                            ? registered(read(asked, "imp_uid"))
                            : charge(read(asked, "merchant_uid"), Long.parseLong(read(asked, "amount")));
                }
                exchange.getResponseHeaders().set("Content-Type", type);
                byte[] bytes = content.getBytes(UTF_8);
                exchange.sendResponseHeaders(200, bytes.length);
                exchange.getResponseBody().write(bytes);
            } catch (Exception error) {
                error.printStackTrace();
                exchange.sendResponseHeaders(500, -1);
            }
            exchange.close();
        });
        server.start();
    }

    /** The page says that it went well; whether it did, the gateway says. */
    static String registered(String impUid) throws Exception {
        Answer answer = call("GET", "/payments/" + encoded(impUid), null);
        boolean ours = answer.status() == 200 && "paid".equals(answer.get("status")) && CUSTOMER.equals(answer.get("customer_uid"));
        return ours ? written("registered", null) : written("refused", answer.status() == 200 ? answer.get("fail_reason") : answer.get("message"));
    }

    static String charge(String merchantUid, long amount) throws Exception {
        String wish = "{\"customer_uid\":" + quoted(CUSTOMER) + ",\"merchant_uid\":" + quoted(merchantUid) + ",\"amount\":" + amount
                + ",\"name\":\"월간 이용권\"}";
        Answer answer = call("POST", "/subscribe/payments/again", wish);
        Answer payment = answer;
        if (!"0".equals(answer.get("code"))) {
            // Not carried out, or not known: what is written under our order number tells which.
            payment = call("GET", "/payments/find/" + encoded(merchantUid), null);
            if (payment.status() == 404) return written("refused", answer.get("message"));
        }
        return switch (payment.get("status")) {
            case "ready" -> written("unclear", answer.get("message")); // never charge it again; a webhook tells the end
            case "failed" -> written("refused", payment.get("fail_reason"));
            default -> written(payment.get("status"), null);
        };
    }

    /** HTTP status and envelope of a call with a token of its own; asking again gives the same token. */
    static Answer call(String method, String path, String body) throws Exception {
        String pair = "{\"imp_key\":" + quoted(System.getenv("MAEDAL_API_KEY")) + ",\"imp_secret\":" + quoted(System.getenv("MAEDAL_API_SECRET")) + "}";
        String token = send("POST", "/users/getToken", pair, null).get("access_token");
        return send(method, path, body, token);
    }

    static Answer send(String method, String path, String body, String token) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(GATEWAY + path)).timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json")
                .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (token != null) request.header("Authorization", "Bearer " + token);
        HttpResponse<String> answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString(UTF_8));
        return new Answer(answer.statusCode(), answer.body());
    }

    static String encoded(String part) {
        return URLEncoder.encode(part, UTF_8).replace("+", "%20");
    }

    static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    static String written(String result, String why) {
        return "{\"result\":" + quoted(result) + (why == null ? "" : ",\"why\":" + quoted(why)) + "}";
    }

    /** A text or number of a JSON object; null when there is none. */
    static String read(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\": ?(?:\"((?:[^\"\\\\]|\\\\.)*)\"|(-?[0-9]+))").matcher(json);
        if (!found.find()) return null;
        return found.group(1) != null ? found.group(1).replace("\\\"", "\"").replace("\\\\", "\\") : found.group(2);
    }
}
