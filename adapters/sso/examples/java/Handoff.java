import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Makes a hand-off token for RSE. Java 11 or later, no library. */
public final class Handoff {
    private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();
    private static final SecureRandom RANDOM = new SecureRandom();

    private Handoff() {
    }

    /** A token that lets {@code subject} into RSE once, within the next minute. */
    public static String handoffToken(String secret, String kid, String issuer, String audience, String subject,
            String name, String returnTo) throws GeneralSecurityException {
        long now = System.currentTimeMillis() / 1000;
        byte[] nonce = new byte[18];
        RANDOM.nextBytes(nonce);

        Map<String, Object> header = new LinkedHashMap<>();
        header.put("alg", "HS256");
        header.put("typ", "JWT");
        header.put("kid", kid);

        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", issuer);
        claims.put("aud", audience);
        claims.put("sub", subject);
        claims.put("iat", now);
        claims.put("exp", now + 60);
        claims.put("jti", URL.encodeToString(nonce));
        if (name != null && !name.isEmpty()) {
            claims.put("name", name);
        }
        if (returnTo != null && !returnTo.isEmpty()) {
            claims.put("return_to", returnTo);
        }

        String signed = base64(json(header)) + "." + base64(json(claims));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        return signed + "." + URL.encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
    }

    private static String base64(String text) {
        return URL.encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String json(Map<String, Object> members) {
        StringBuilder out = new StringBuilder("{");
        for (Map.Entry<String, Object> member : members.entrySet()) {
            if (out.length() > 1) {
                out.append(',');
            }
            out.append(quote(member.getKey())).append(':');
            Object value = member.getValue();
            out.append(value instanceof Number ? value.toString() : quote(value.toString()));
        }
        return out.append('}').toString();
    }

    private static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20 || c > 0x7e) {
                // Escaped, so that no encoding between here and RSE can spoil a name.
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    public static void main(String[] args) throws GeneralSecurityException {
        String secret = System.getenv("RSE_HANDOFF_SECRET");
        if (args.length < 4 || secret == null) {
            System.err.println("usage: RSE_HANDOFF_SECRET=... Handoff.java ISSUER AUDIENCE KID SUBJECT [NAME] [RETURN_TO]");
            System.exit(2);
        }
        String name = args.length > 4 ? args[4] : null;
        String returnTo = args.length > 5 ? args[5] : null;
        System.out.println(handoffToken(secret, args[2], args[0], args[1], args[3], name, returnTo));
    }
}
