// Webhooks of maedal: proved to be ours, read again from the gateway, kept once.
// Only the JDK: java Receiver.java. In Spring, `receive` is what a @PostMapping calls with @RequestBody byte[] body.
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

import static java.nio.charset.StandardCharsets.UTF_8;

public class Receiver {
    static final long SECONDS_MAX = 300;
    static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8000"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/webhook", exchange -> {
            int status;
            try {
                status = receive(exchange.getRequestBody().readAllBytes(), exchange.getRequestHeaders());
            } catch (Exception error) {
                error.printStackTrace();
                status = 500; // and the webhook comes again
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }

    /** Takes one webhook and returns the HTTP status to answer. `body` is what came, byte by byte. */
    static int receive(byte[] body, Headers headers) throws Exception {
        String id = headers.getFirst("webhook-id");
        if (!isOurs(id, headers.getFirst("webhook-timestamp"), headers.getFirst("webhook-signature"), body)) return 401;
        String type = headers.getFirst("content-type");
        boolean form = type != null && type.startsWith("application/x-www-form-urlencoded");
        String text = new String(body, UTF_8);

        // A webhook is only news. What is true, the gateway says.
        String payment = readPayment(form ? inForm(text, "imp_uid") : inJson(text, "imp_uid"));
        if (payment == null) return 200; // a test call, or another merchant's

        // webhook-id is the same in every try; behind its last "-" is a number that grows with each news of a payment.
        long news = Long.parseLong(id.substring(id.lastIndexOf('-') + 1));
        if (keep(inJson(payment, "imp_uid"), news)) {
            // Compare the amount with your order before you deliver anything.
            System.out.println(String.join(" ", "kept", inJson(payment, "merchant_uid"), inJson(payment, "status"),
                    inJson(payment, "amount"), inJson(payment, "cancel_amount")));
        }
        return 200;
    }

    /** Whether one of the signatures is of our secret, and the time is ours within five minutes. */
    static boolean isOurs(String id, String time, String signatures, byte[] body) throws Exception {
        if (id == null || time == null || signatures == null || !time.matches("[0-9]{1,12}")) return false;
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(time)) > SECONDS_MAX) return false;
        String secret = System.getenv("MAEDAL_WEBHOOK_SECRET").substring("whsec_".length());
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret), "HmacSHA256"));
        mac.update((id + "." + time + ".").getBytes(UTF_8));
        byte[] right = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(UTF_8);
        // While a secret is being changed there are two signatures, with a blank between them.
        for (String signature : signatures.split(" ")) {
            if (MessageDigest.isEqual(right, signature.getBytes(UTF_8))) return true;
        }
        return false;
    }

    // Stands for your database, and forgets when the process ends. There, one statement keeps out what came twice or late:
    //   INSERT INTO payments VALUES (…) ON CONFLICT (imp_uid) DO UPDATE SET status = excluded.status,
    //     cancelled = excluded.cancelled, news = excluded.news WHERE excluded.news > payments.news
    static final Map<String, Long> NEWEST = new ConcurrentHashMap<>();

    static synchronized boolean keep(String impUid, long news) {
        if (news <= NEWEST.getOrDefault(impUid, 0L)) return false;
        NEWEST.put(impUid, news);
        return true;
    }

    static String readPayment(String impUid) throws Exception {
        String pair = "{\"imp_key\":\"" + System.getenv("MAEDAL_API_KEY") + "\",\"imp_secret\":\""
                + System.getenv("MAEDAL_API_SECRET") + "\"}";
        String token = ask("POST", "/users/getToken", pair, null);
        return ask("GET", "/payments/" + URLEncoder.encode(impUid, UTF_8).replace("+", "%20"), "", inJson(token, "access_token"));
    }

    static String ask(String method, String path, String body, String token) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(System.getenv("MAEDAL_URL") + path))
                .timeout(Duration.ofSeconds(10))
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (token != null) request.header("Authorization", "Bearer " + token);
        HttpResponse<String> answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString(UTF_8));
        if (answer.statusCode() == 404) return null;
        if (answer.statusCode() != 200) throw new IllegalStateException(method + " " + path + ": HTTP " + answer.statusCode());
        return answer.body();
    }

    static String inForm(String form, String name) {
        for (String pair : form.split("&")) {
            int at = pair.indexOf('=');
            if (at > 0 && pair.substring(0, at).equals(name)) return URLDecoder.decode(pair.substring(at + 1), UTF_8);
        }
        throw new IllegalArgumentException(name + " is missing");
    }

    /** A text or number of a JSON object. The JDK reads no JSON: use the library that your project has (Jackson, Gson). */
    static String inJson(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":(?:\"([^\"\\\\]*)\"|(-?[0-9]+))").matcher(json);
        if (!found.find()) throw new IllegalArgumentException(name + " is missing");
        return found.group(1) != null ? found.group(1) : found.group(2);
    }
}
