package shop;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

import static java.nio.charset.StandardCharsets.UTF_8;

@RestController
public class ShopController {
    private final Shop shop;

    public ShopController(Shop shop) {
        this.shop = shop;
    }

    /** The stream, so that no converter parses the body before the client verifies the bytes as they came. */
    @PostMapping("/acopay/notify")
    public ResponseEntity<byte[]> hear(InputStream body) throws IOException {
        AcoPay.Answer answer = shop.hear(body.readNBytes(AcoPay.BODY_BYTES_MAX + 1));
        return ResponseEntity.status(answer.httpStatus())
            .contentType(MediaType.valueOf("application/json;charset=utf-8"))
            .body(answer.body().getBytes(UTF_8));
    }

    @PostMapping("/orders")
    public ResponseEntity<Map<String, Object>> place() throws Exception {
        return ResponseEntity.status(HttpStatus.CREATED).body(shop.placeOrder());
    }

    @GetMapping("/orders/{number}")
    public ResponseEntity<Map<String, Object>> find(@PathVariable("number") String number) {
        Shop.Order order = shop.findOrder(number);
        return order == null ? ResponseEntity.notFound().build() : ResponseEntity.ok(Map.of("order", order));
    }

    @PostMapping("/orders/{number}/close")
    public ResponseEntity<Map<String, Object>> close(@PathVariable("number") String number) throws Exception {
        String outcome = shop.closeOrder(number);
        return outcome == null ? ResponseEntity.notFound().build() : ResponseEntity.ok(Map.of("outcome", outcome));
    }

    /** The gateway refused, or did not answer. */
    @ExceptionHandler(AcoPay.Failure.class)
    public ResponseEntity<Map<String, Object>> failed(AcoPay.Failure failure) {
        AcoPay.ERR.println(failure.getMessage());
        return ResponseEntity.status(HttpStatus.BAD_GATEWAY).body(Map.of("error", "\u8bf7\u7a0d\u540e\u518d\u8bd5 try again later"));
    }
}
