// A complete ACO Pay (翼辉支付) client in one file, standard library only. Debian: golang-go.
//
//	go run acopay.go vectors [FILE]      signs and verifies the test vectors
//	go run acopay.go place --amount 12.50 [--description TEXT] [--mch-trade-no NO] [--extra TEXT] [--notify-url URL]
//	go run acopay.go query (--transaction-no NO | --mch-trade-no NO)
//	go run acopay.go close (--transaction-no NO | --mch-trade-no NO)
//	go run acopay.go notify [--port 8081]      receives notifications
//
// The settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey) are read from --settings FILE, by default
// .acopay/demo.json: the file that the sandbox (npm start) writes. The contract: docs/wire/.
//
// What Go gets wrong by default:
//
//	json.Marshal    writes <, > and & as \u003c, \u003e and \u0026; SetEscapeHTML(false) helps, but then it still writes \b and \f
//	                as \u0008 and \u000c before Go 1.22. So texts are quoted by hand here, in 20 lines.
//	json.Encoder    writes a line end after the text. It would be signed along.
//	json.Unmarshal  reads numbers as float64: 7 stays 7, 20260131080000000 does not. UseNumber keeps the digits.
//	                It matches names of struct fields without regard to case; a map keeps them apart.
//	sort.Strings    sorts by bytes; the contract sorts by UTF-16 code unit (the same for all names of the contract).
//	http.Client     follows redirects, and has no time limit.
package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

const (
	signType       = "SHA256withRSA"
	basePath       = "/pay/v1/transactions/"
	vectorsFile    = "packages/protocol/vectors/signature.json"
	timeout        = 10 * time.Second
	tries          = 3
	clockTolerance = 5 * time.Minute
	bodyBytesMax   = 64 * 1024
	heard          = `{"status":"SUCCESS","message":"成功"}`
	notHeard       = `{"status":"FAIL","message":"失败"}`
)

// NONCE_REPEAT, FREQUENCY_LIMIT, SYSTEM_ERROR: the same numbers with a new nonce may succeed.
var retryable = map[string]bool{"1016": true, "1017": true, "1500": true}

// The gateway signs no answer to a caller who has not proved who it is. All of these are errors.
var mayBeUnsigned = map[string]bool{"1001": true, "1002": true, "1003": true, "1017": true, "1500": true}

type object = map[string]any

// errUnreachable: whether the request was carried out is unknown. It may be sent again with the same numbers.
var errUnreachable = errors.New("no answer; query the order before you do anything else")

// -- signing ----------------------------------------------------------------------------------------------------------

// canonical is the text that both sides sign: compact JSON, names in UTF-16 order, nulls dropped, few escapes.
func canonical(text *strings.Builder, value any) {
	switch value := value.(type) {
	case object:
		names := make([]string, 0, len(value))
		for name, member := range value {
			if member != nil {
				names = append(names, name)
			}
		}
		sort.Slice(names, func(i, j int) bool { return utf16Less(names[i], names[j]) })
		text.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				text.WriteByte(',')
			}
			quote(text, name)
			text.WriteByte(':')
			canonical(text, value[name])
		}
		text.WriteByte('}')
	case []any:
		text.WriteByte('[')
		for i, member := range value {
			if i > 0 {
				text.WriteByte(',')
			}
			canonical(text, member)
		}
		text.WriteByte(']')
	case string:
		quote(text, value)
	case nil:
		text.WriteString("null")
	default: // json.Number, whose text is its digits, and bool
		fmt.Fprint(text, value)
	}
}

func utf16Less(one, other string) bool {
	a, b := utf16.Encode([]rune(one)), utf16.Encode([]rune(other))
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}

var shortEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

func quote(text *strings.Builder, value string) {
	text.WriteByte('"')
	for _, letter := range value {
		short, isShort := shortEscapes[letter]
		switch {
		case isShort:
			text.WriteString(short)
		case letter < 0x20 || letter == 0x2028 || letter == 0x2029:
			fmt.Fprintf(text, `\u%04x`, letter)
		default:
			text.WriteRune(letter)
		}
	}
	text.WriteByte('"')
}

// without copies the members, except those that are named and those whose name is blank.
func without(members object, left ...string) object {
	kept := object{}
	for name, member := range members {
		if strings.TrimSpace(name) != "" {
			kept[name] = member
		}
	}
	for _, name := range left {
		delete(kept, name)
	}
	return kept
}

func textOf(value any) string {
	var text strings.Builder
	canonical(&text, value)
	return text.String()
}

func requestText(params object, mchNo, nonce string) string {
	signed := without(params, "aco_pay_sdk", "version")
	signed["mch_no"], signed["nonce"], signed["sign_type"] = mchNo, nonce, signType
	return textOf(signed)
}

func answerText(envelope object) string {
	signed := without(envelope)
	if data, isObject := envelope["data"].(object); isObject {
		signed["data"] = without(data, "sign")
	}
	return textOf(signed)
}

func notificationText(body object) string { return textOf(without(body, "sign")) }

func privateKey(text string) (*rsa.PrivateKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("mchPrivateKey is not Base64")
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if rsaKey, isRSA := key.(*rsa.PrivateKey); err == nil && isRSA {
		return rsaKey, nil
	}
	return nil, errors.New("mchPrivateKey is not an RSA key (Base64 of PKCS#8 DER)")
}

func publicKey(text string) (*rsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("platformPublicKey is not Base64")
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if rsaKey, isRSA := key.(*rsa.PublicKey); err == nil && isRSA {
		return rsaKey, nil
	}
	return nil, errors.New("platformPublicKey is not an RSA key (Base64 of SubjectPublicKeyInfo DER)")
}

func sign(text string, key *rsa.PrivateKey) (string, error) {
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	return base64.StdEncoding.EncodeToString(signature), err
}

func verifies(text string, signature any, key *rsa.PublicKey) bool {
	base64Text, _ := signature.(string)
	signed, err := base64.StdEncoding.Strict().DecodeString(base64Text)
	digest := sha256.Sum256([]byte(text))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signed) == nil
}

// -- calls ------------------------------------------------------------------------------------------------------------

type settings struct {
	BaseURL           string `json:"baseUrl"`
	MchNo             string `json:"mchNo"`
	AppNo             string `json:"appNo"`
	MchPrivateKey     string `json:"mchPrivateKey"`
	PlatformPublicKey string `json:"platformPublicKey"`
}

type client struct {
	settings
	private *rsa.PrivateKey
	public  *rsa.PublicKey
	http    http.Client
}

func newClient(file string) (*client, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &client{}
	if err = json.Unmarshal(text, &c.settings); err != nil {
		return nil, err
	}
	if c.private, err = privateKey(c.MchPrivateKey); err != nil {
		return nil, err
	}
	if c.public, err = publicKey(c.PlatformPublicKey); err != nil {
		return nil, err
	}
	c.http.Timeout = timeout
	// A redirect would carry the signed request to another host.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// call sends until it is answered, at most three times, with the same numbers and a new nonce. Every call is idempotent.
func (c *client) call(method, path string, params object) (object, error) {
	for tried := 1; ; tried++ {
		envelope, err := c.sendOnce(method, path, params)
		mayHelp := errors.Is(err, errUnreachable)
		if err == nil {
			status := fmt.Sprint(envelope["status"])
			if status == "200" {
				return envelope["data"].(object), nil
			}
			err = fmt.Errorf("%s %v %v", status, envelope["message"], envelope["fieldErrors"])
			mayHelp = retryable[status]
		}
		if !mayHelp || tried == tries {
			return nil, err
		}
		time.Sleep(200 * time.Millisecond << tried)
	}
}

func (c *client) sendOnce(method, path string, params object) (object, error) {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	nonce := hex.EncodeToString(random)
	signature, err := sign(requestText(params, c.MchNo, nonce), c.private)
	if err != nil {
		return nil, err
	}
	target := strings.TrimRight(c.BaseURL, "/") + basePath + path
	var body io.Reader
	if method == "GET" {
		query := url.Values{}
		for name, value := range params {
			query.Set(name, value.(string))
		}
		target += "?" + query.Encode() // a space becomes "+": the gateway reads both forms
	} else {
		sent, err := json.Marshal(params) // what travels may be escaped in any way: the parsed values are signed
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(sent)
	}
	request, err := http.NewRequest(method, target, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("x-acopay-mch-no", c.MchNo)
	request.Header.Set("x-acopay-nonce", nonce)
	request.Header.Set("x-acopay-sign-type", signType)
	request.Header.Set("x-acopay-sign", signature)
	request.Header.Set("content-type", "application/json; charset=utf-8")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, errUnreachable
	}
	defer response.Body.Close()
	if response.StatusCode >= 500 || response.StatusCode == 429 {
		return nil, errUnreachable
	}
	if response.StatusCode != 200 {
		return nil, fmt.Errorf("HTTP %d: is baseUrl right?", response.StatusCode)
	}
	envelope, err := readObject(response.Body)
	if err != nil {
		return nil, errUnreachable
	}
	return envelope, c.check(params, envelope)
}

func readObject(from io.Reader) (object, error) {
	decoder := json.NewDecoder(from)
	decoder.UseNumber()
	var value object
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	// Decode stops behind the first value, and takes null for an empty map.
	if _, err := decoder.Token(); err != io.EOF || value == nil {
		return nil, errors.New("not one JSON object")
	}
	return value, nil
}

// check: the platform signed the answer, and it is about what was asked.
func (c *client) check(params, envelope object) error {
	status := fmt.Sprint(envelope["status"])
	data, _ := envelope["data"].(object)
	if data["sign"] == nil {
		if !mayBeUnsigned[status] {
			return fmt.Errorf("the answer %s is not signed", status)
		}
		return nil
	}
	isOurs := data["mch_no"] == c.MchNo && data["sign_type"] == signType
	if !isOurs || !verifies(answerText(envelope), data["sign"], c.public) {
		return errors.New("the answer's signature does not verify with platformPublicKey")
	}
	// A signed answer about another order proves nothing about this one. The platform's number wins.
	name := "mch_trade_no"
	if params["transaction_no"] != nil {
		name = "transaction_no"
	}
	if status == "200" && data[name] != params[name] {
		return errors.New("the answer is about another order")
	}
	return nil
}

// newTradeNo makes your own number of an order: store it before you place the order. 24 to 50 letters, digits, "_" and "-".
func newTradeNo() string {
	random := make([]byte, 10)
	if _, err := rand.Read(random); err != nil {
		panic(err)
	}
	return time.Now().UTC().Format("20060102150405") + hex.EncodeToString(random)
}

// -- notifications ----------------------------------------------------------------------------------------------------

// notifications verifies notifications and passes each event on once. A shop keeps the events in its database, see once.
type notifications struct {
	*client
	onEvent func(id string, news object) error
	mutex   sync.Mutex
	heard   map[string]bool
}

func (n *notifications) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	status, answer := n.answer(http.MaxBytesReader(response, request.Body, bodyBytesMax))
	response.Header().Set("content-type", "application/json; charset=utf-8")
	response.WriteHeader(status)
	io.WriteString(response, answer)
}

func (n *notifications) answer(body io.Reader) (int, string) {
	news, err := readObject(body)
	if err != nil {
		return 400, notHeard
	}
	for _, member := range news {
		if _, isText := member.(string); !isText && member != nil {
			return 400, notHeard
		}
	}
	if doubt := n.doubtAbout(news); doubt != "" {
		fmt.Fprintln(os.Stderr, "refused:", doubt)
		return 401, notHeard
	}
	if err := n.once(news); err != nil { // whatever failed: the gateway shall send it again
		fmt.Fprintln(os.Stderr, "failed:", err)
		return 500, notHeard
	}
	return 200, heard
}

// doubtAbout is empty when the notification is the platform's, for this merchant and recent.
func (n *notifications) doubtAbout(news object) string {
	if news["sign_type"] != signType || !verifies(notificationText(news), news["sign"], n.public) {
		return "the signature does not verify with platformPublicKey"
	}
	if news["mch_no"] != n.MchNo {
		return "it is for another merchant"
	}
	text, _ := news["notify_time"].(string)
	sentAt, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "it has no notify_time"
	}
	if age := time.Since(sentAt); age > clockTolerance || age < -clockTolerance {
		return fmt.Sprintf("notify_time is %v away: a replay, or a wrong clock?", age)
	}
	return ""
}

// once: nonce and notify_time differ at each delivery; kind, number and code do not. In a shop: insert the event's id into a table
// with a unique key, in the transaction of your own change; a duplicate key means that it was dealt with.
func (n *notifications) once(news object) error {
	id := fmt.Sprintf("payment %v %v", news["transaction_no"], news["code"])
	if news["refund_no"] != nil {
		id = fmt.Sprintf("refund %v %v", news["refund_no"], news["code"])
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.heard[id] {
		fmt.Println("again", id)
		return nil
	}
	err := n.onEvent(id, news)
	n.heard[id] = err == nil
	return err
}

func serve(c *client, port string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	fmt.Printf("listening http://%s/\n", listener.Addr())
	// Your own work comes here. Return an error for a code that you do not know: the event comes again when you know it.
	onEvent := func(id string, _ object) error {
		fmt.Println("event", id)
		return nil
	}
	handler := &notifications{client: c, onEvent: onEvent, heard: map[string]bool{}}
	server := http.Server{Handler: handler, ReadTimeout: timeout, WriteTimeout: timeout}
	return server.Serve(listener)
}

// -- the command line -------------------------------------------------------------------------------------------------

func checkVectors(file string) error {
	opened, err := os.Open(file)
	if err != nil {
		return err
	}
	defer opened.Close()
	vectors, err := readObject(opened)
	if err != nil {
		return err
	}
	keys, areOK := vectors["keys"].(object), true
	for _, one := range vectors["requests"].([]any) {
		row := one.(object)
		params := row["params"].(object)
		text := requestText(params, params["mch_no"].(string), params["nonce"].(string))
		areOK = checkVector(row, text, keys["merchantPrivateKey"], keys["merchantPublicKey"]) && areOK
	}
	for _, one := range vectors["responses"].([]any) {
		row := one.(object)
		body := row["body"].(object)
		text := notificationText(body)
		if body["status"] != nil {
			text = answerText(body)
		}
		areOK = checkVector(row, text, keys["platformPrivateKey"], keys["platformPublicKey"]) && areOK
	}
	if !areOK {
		return errors.New("some rows differ")
	}
	return nil
}

// checkVector, both directions: the same signature is made, the given one verifies, and one for another text does not.
func checkVector(row object, text string, private, public any) bool {
	key, err := privateKey(private.(string))
	other, err2 := publicKey(public.(string))
	if err != nil || err2 != nil {
		return false
	}
	signature, err := sign(text, key)
	isOK := err == nil && text == row["canonical"] && signature == row["sign"] &&
		verifies(text, row["sign"], other) && !verifies(text+" ", row["sign"], other)
	fmt.Println(map[bool]string{true: "ok", false: "FAILED"}[isOK], row["name"])
	return isOK
}

func show(data object) {
	for _, name := range []string{"sign", "sign_type", "nonce"} {
		delete(data, name)
	}
	names := make([]string, 0, len(data))
	for name := range data {
		names = append(names, name)
	}
	sort.Strings(names) // a map has no order
	for _, name := range names {
		if data[name] != nil {
			fmt.Println(name, data[name])
		}
	}
}

func run(args []string) error {
	if len(args) == 0 {
		args = []string{""}
	}
	command := args[0]
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	file := flags.String("settings", ".acopay/demo.json", "the file with the settings")
	port := flags.String("port", "8081", "where to receive notifications")
	amount := flags.String("amount", "", "yuan with two decimals")
	texts := map[string]*string{}
	for name, otherwise := range map[string]string{
		"transaction-no": "", "mch-trade-no": "", "description": "测试订单", "extra": "", "notify-url": "",
	} {
		texts[name] = flags.String(name, otherwise, "")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if command == "vectors" {
		if flags.NArg() > 0 {
			return checkVectors(flags.Arg(0))
		}
		return checkVectors(vectorsFile)
	}
	c, err := newClient(*file)
	if err != nil {
		return err
	}
	params := object{}
	put := func(name, value string) {
		if value != "" {
			params[name] = value
		}
	}
	put("mch_trade_no", *texts["mch-trade-no"])
	method, path := "POST", "close"
	switch command {
	case "notify":
		return serve(c, *port)
	case "place":
		path = "trade"
		if params["mch_trade_no"] == nil {
			put("mch_trade_no", newTradeNo())
		}
		put("app_no", c.AppNo)
		put("description", *texts["description"])
		put("amount_total", *amount) // a text with two decimals, never a number
		put("amount_currency", "CNY")
		put("extra", *texts["extra"])
		put("notify_url", *texts["notify-url"])
	case "query", "close":
		put("transaction_no", *texts["transaction-no"])
		if command == "query" {
			method, path = "GET", "trade"
		}
	default:
		return errors.New("say one of: vectors, place --amount 12.50, query --transaction-no NO, close --transaction-no NO, notify")
	}
	data, err := c.call(method, path, params)
	if err == nil {
		show(data)
	}
	return err
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
