/*
 * A complete ACO Pay client in one file, for .NET and Mono, no packages. Debian: mono-mcs, and ca-certificates-mono for https.
 *
 *     mcs -out:acopay.exe AcoPay.cs      once; then
 *     mono acopay.exe vectors [FILE]      signs and verifies the test vectors
 *     mono acopay.exe place --amount 12.50 [--description TEXT] [--mch-trade-no NO] [--extra TEXT] [--notify-url URL]
 *     mono acopay.exe query (--transaction-no NO | --mch-trade-no NO)
 *     mono acopay.exe close (--transaction-no NO | --mch-trade-no NO)
 *     mono acopay.exe notify [--port 8081]      receives notifications
 *
 * The settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey) are read from --settings FILE, by default
 * .acopay/demo.json: the file that the sandbox (npm start) writes. The contract: docs/wire/.
 *
 * What C# gets wrong by default:
 *   Sorting      compares strings by the rules of a language, which ignore case and "_" at first: StringComparer.Ordinal compares
 *                UTF-16 code units, as the contract asks.
 *   JSON         System.Text.Json escapes Chinese, ", &, ', + and <, > as \uXXXX; UnsafeRelaxedJsonEscaping still escapes U+007F, U+2028
 *                in capitals and characters beyond U+FFFF. JavaScriptSerializer escapes <, > and '. Newtonsoft's is near, and makes
 *                dates of texts that look like one. So texts are quoted by hand here, in 15 lines.
 *   Encoding     Encoding.UTF8 writes a byte order mark through a StreamWriter: new UTF8Encoding(false) does not.
 *   Keys         Mono and .NET Framework read neither PKCS#8 nor SubjectPublicKeyInfo: 40 lines do it here. Since .NET Core 3:
 *                RSA.ImportPkcs8PrivateKey and RSA.ImportSubjectPublicKeyInfo.
 *   Base64       Convert.FromBase64String passes over blanks and line ends.
 *   HTTP         HttpWebRequest follows redirects, sends "Expect: 100-continue", and throws at an HTTP error.
 */
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Threading;

/// <summary>Its text is for the person at the terminal.</summary>
class Failure : Exception
{
    public Failure(string text) : base(text) { }
}

/// <summary>Whether the request was carried out is unknown. It may be sent again with the same numbers.</summary>
class Unreachable : Failure
{
    public Unreachable(string text) : base(text) { }
}

/// <summary>A JSON number with its digits as they were written.</summary>
class Digits
{
    readonly string text;
    public Digits(string text) { this.text = text; }
    public override string ToString() { return text; }
}

/// <summary>Reads JSON: objects are dictionaries, numbers keep their digits.</summary>
class Json
{
    readonly string text;
    int at;

    Json(string text) { this.text = text; }

    /// <summary>Throws FormatException for a text that is not one JSON object.</summary>
    public static Dictionary<string, object> Object(string text)
    {
        var reader = new Json(text);
        var value = reader.Value(0) as Dictionary<string, object>;
        reader.Blanks();
        if (value == null || reader.at != text.Length) throw new FormatException("not a JSON object");
        return value;
    }

    object Value(int depth)
    {
        Blanks();
        if (depth > 32 || at == text.Length) throw Wrong();
        switch (text[at])
        {
            case '{':
                var members = new Dictionary<string, object>();
                for (var isFirst = true; Next(isFirst, '}'); isFirst = false)
                {
                    var name = Quoted();
                    Expect(':');
                    members[name] = Value(depth + 1);
                }
                return members;
            case '[':
                var list = new List<object>();
                for (var isFirst = true; Next(isFirst, ']'); isFirst = false) list.Add(Value(depth + 1));
                return list;
            case '"':
                return Quoted();
            default:
                return Word();
        }
    }

    /// <summary>Whether another member follows; passes the bracket or the comma before it, or the bracket at the end.</summary>
    bool Next(bool isFirst, char end)
    {
        if (isFirst) at += 1;
        Blanks();
        if (at < text.Length && text[at] == end)
        {
            at += 1;
            return false;
        }
        if (!isFirst) Expect(',');
        Blanks();
        return true;
    }

    string Quoted()
    {
        Expect('"');
        var read = new StringBuilder();
        for (; at < text.Length; at += 1)
        {
            if (text[at] == '"')
            {
                at += 1;
                return read.ToString();
            }
            if (text[at] < 0x20) throw Wrong();
            read.Append(text[at] == '\\' ? Escaped() : text[at]);
        }
        throw Wrong();
    }

    char Escaped()
    {
        at += 1;
        var place = at < text.Length ? "\"\\/bfnrt".IndexOf(text[at]) : -1;
        if (place >= 0) return "\"\\/\b\f\n\r\t"[place];
        if (at + 4 >= text.Length || text[at] != 'u') throw Wrong();
        at += 4;
        return (char)ushort.Parse(text.Substring(at - 3, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    object Word()
    {
        var from = at;
        while (at < text.Length && ",]} \t\r\n".IndexOf(text[at]) < 0) at += 1;
        var word = text.Substring(from, at - from);
        if (word == "null") return null;
        if (word == "true" || word == "false") return word == "true";
        if (word == "" || word.Any(letter => "+-.0123456789eE".IndexOf(letter) < 0)) throw Wrong();
        return new Digits(word);
    }

    void Blanks() { while (at < text.Length && " \t\r\n".IndexOf(text[at]) >= 0) at += 1; }

    void Expect(char letter)
    {
        Blanks();
        if (at == text.Length || text[at] != letter) throw Wrong();
        at += 1;
    }

    FormatException Wrong() { return new FormatException("not JSON at character " + at); }
}

/// <summary>Reads RSA keys from DER: SubjectPublicKeyInfo and PKCS#8.</summary>
class Der
{
    readonly byte[] bytes;
    int at;

    Der(byte[] bytes) { this.bytes = bytes; }

    public static RSA PublicKey(string base64)
    {
        var info = new Der(Convert.FromBase64String(base64)).Inside(0x30);
        info.Next(0x30); // the algorithm
        var key = new Der(info.Next(0x03).Skip(1).ToArray()).Inside(0x30); // the bit string begins with its count of unused bits
        return Rsa(new RSAParameters { Modulus = key.Number(), Exponent = key.Number() });
    }

    public static RSA PrivateKey(string base64)
    {
        var info = new Der(Convert.FromBase64String(base64)).Inside(0x30);
        info.Next(0x02); // the version
        info.Next(0x30); // the algorithm
        var key = new Der(info.Next(0x04)).Inside(0x30);
        key.Next(0x02); // the version
        var parts = new RSAParameters { Modulus = key.Number(), Exponent = key.Number() };
        var size = parts.Modulus.Length;
        parts.D = key.Number(size);
        parts.P = key.Number(size / 2);
        parts.Q = key.Number(size / 2);
        parts.DP = key.Number(size / 2);
        parts.DQ = key.Number(size / 2);
        parts.InverseQ = key.Number(size / 2);
        return Rsa(parts);
    }

    static RSA Rsa(RSAParameters parts)
    {
        var key = RSA.Create();
        key.ImportParameters(parts);
        return key;
    }

    Der Inside(byte tag) { return new Der(Next(tag)); }

    byte[] Next(byte tag)
    {
        if (at + 2 > bytes.Length || bytes[at] != tag) throw new FormatException("not an RSA key in DER");
        int length = bytes[at + 1];
        at += 2;
        if (length > 0x80)
        {
            var count = length - 0x80;
            length = 0;
            for (; count > 0 && at < bytes.Length; count -= 1, at += 1) length = length * 256 + bytes[at];
        }
        if (length < 0 || length > bytes.Length - at) throw new FormatException("a key that is cut off");
        at += length;
        return bytes.Skip(at - length).Take(length).ToArray();
    }

    /// <summary>DER has a zero before a number whose first bit is set, and none of the zeros that RSAParameters wants.</summary>
    byte[] Number(int size = 0)
    {
        var digits = Next(0x02).SkipWhile(digit => digit == 0).ToArray();
        return new byte[Math.Max(0, size - digits.Length)].Concat(digits).ToArray();
    }
}

/// <summary>The texts that are signed, and their signatures.</summary>
static class Signing
{
    public const string SignType = "SHA256withRSA";

    /// <summary>The text that both sides sign: compact JSON, names in UTF-16 order, nulls dropped, few escapes.</summary>
    public static string Canonical(object value)
    {
        if (value is Dictionary<string, object> members)
        {
            var texts = members.Where(member => member.Value != null)
                .OrderBy(member => member.Key, StringComparer.Ordinal)
                .Select(member => Quote(member.Key) + ":" + Canonical(member.Value));
            return "{" + string.Join(",", texts) + "}";
        }
        if (value is List<object> list) return "[" + string.Join(",", list.Select(Canonical)) + "]";
        if (value is string text) return Quote(text);
        if (value is bool flag) return flag ? "true" : "false"; // ToString() says "True"
        return value == null ? "null" : value.ToString();
    }

    static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        for (var i = 0; i < text.Length; i += 1)
        {
            var letter = text[i];
            var place = "\"\\\b\f\n\r\t".IndexOf(letter);
            if (place >= 0) quoted.Append('\\').Append("\"\\bfnrt"[place]);
            else if (letter < 0x20 || letter == 0x2028 || letter == 0x2029) quoted.Append("\\u" + ((int)letter).ToString("x4"));
            else if (!char.IsSurrogate(letter)) quoted.Append(letter);
            else if (i + 1 < text.Length && char.IsSurrogatePair(letter, text[i + 1])) quoted.Append(letter).Append(text[++i]);
            else quoted.Append('?'); // half of a surrogate pair
        }
        return quoted.Append('"').ToString();
    }

    static Dictionary<string, object> Without(Dictionary<string, object> members, params string[] left)
    {
        return members.Where(member => member.Key.Trim() != "" && !left.Contains(member.Key))
            .ToDictionary(member => member.Key, member => member.Value);
    }

    public static string RequestText(Dictionary<string, object> parameters, string mchNo, string nonce)
    {
        var signed = Without(parameters, "aco_pay_sdk", "version");
        signed["mch_no"] = mchNo;
        signed["nonce"] = nonce;
        signed["sign_type"] = SignType;
        return Canonical(signed);
    }

    public static string AnswerText(Dictionary<string, object> envelope)
    {
        var signed = Without(envelope);
        if (signed["data"] is Dictionary<string, object> data) signed["data"] = Without(data, "sign");
        return Canonical(signed);
    }

    public static string NotificationText(Dictionary<string, object> body) { return Canonical(Without(body, "sign")); }

    public static string Sign(string text, RSA key)
    {
        return Convert.ToBase64String(
            key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public static bool Verifies(string text, object signature, RSA key)
    {
        try
        {
            var bytes = Convert.FromBase64String(signature as string ?? "");
            return Convert.ToBase64String(bytes) == (string)signature // no blanks in it, which FromBase64String passes over
                && key.VerifyData(Encoding.UTF8.GetBytes(text), bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (Exception error) when (error is FormatException || error is CryptographicException)
        {
            return false;
        }
    }
}

/// <summary>Calls, and notifications.</summary>
class Client
{
    const string BasePath = "/pay/v1/transactions/";
    const int TimeoutMs = 10000;
    const int Tries = 3;
    const int BodyBytesMax = 64 * 1024;
    static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);
    /// <summary>NONCE_REPEAT, FREQUENCY_LIMIT, SYSTEM_ERROR: the same numbers with a new nonce may succeed.</summary>
    static readonly string[] Retryable = { "1016", "1017", "1500" };
    /// <summary>The gateway signs no answer to a caller who has not proved who it is. All of these are errors.</summary>
    static readonly string[] MayBeUnsigned = { "1001", "1002", "1003", "1017", "1500" };
    const string Heard = "{\"status\":\"SUCCESS\",\"message\":\"\u6210\u529f\"}";
    const string NotHeard = "{\"status\":\"FAIL\",\"message\":\"\u5931\u8d25\"}";

    readonly string baseUrl;
    readonly string mchNo;
    readonly string appNo;
    readonly RSA privateKey;
    readonly RSA platformKey;
    readonly HashSet<string> heard = new HashSet<string>();

    public Client(string file)
    {
        var settings = Json.Object(File.ReadAllText(file));
        baseUrl = ((string)settings["baseUrl"]).TrimEnd('/');
        mchNo = (string)settings["mchNo"];
        appNo = (string)settings["appNo"];
        privateKey = Der.PrivateKey((string)settings["mchPrivateKey"]);
        platformKey = Der.PublicKey((string)settings["platformPublicKey"]);
    }

    /// <summary>Sends until it is answered, at most three times, with the same numbers and a new nonce. Every call is idempotent.</summary>
    public Dictionary<string, object> Call(string method, string path, Dictionary<string, object> parameters)
    {
        for (var tried = 1; ; tried += 1)
        {
            Failure failure;
            try
            {
                var envelope = SendOnce(method, path, parameters);
                var status = envelope["status"].ToString();
                if (status == "200") return (Dictionary<string, object>)envelope["data"];
                failure = new Failure(status + " " + envelope["message"] + " " + envelope["fieldErrors"]);
                if (!Retryable.Contains(status)) throw failure;
            }
            catch (Unreachable unreachable)
            {
                failure = unreachable;
            }
            if (tried == Tries) throw failure;
            Thread.Sleep(200 << tried);
        }
    }

    Dictionary<string, object> SendOnce(string method, string path, Dictionary<string, object> parameters)
    {
        var nonce = Random(16);
        var url = baseUrl + BasePath + path;
        if (method == "GET")
        {
            // EscapeDataString writes a space as %20; the gateway reads "+" as a space too.
            url += "?" + string.Join("&", parameters.Select(one => one.Key + "=" + Uri.EscapeDataString((string)one.Value)));
        }
        var request = (HttpWebRequest)WebRequest.Create(url);
        request.Method = method;
        request.Timeout = request.ReadWriteTimeout = TimeoutMs;
        request.AllowAutoRedirect = false; // a redirect would carry the signed request to another host
        request.ServicePoint.Expect100Continue = false;
        request.Headers["x-acopay-mch-no"] = mchNo;
        request.Headers["x-acopay-nonce"] = nonce;
        request.Headers["x-acopay-sign-type"] = Signing.SignType;
        request.Headers["x-acopay-sign"] = Signing.Sign(Signing.RequestText(parameters, mchNo, nonce), privateKey);
        try
        {
            if (method == "POST")
            {
                request.ContentType = "application/json; charset=utf-8";
                // Any JSON will do for what travels: the parsed values are signed. The canonical text is JSON too.
                var body = Encoding.UTF8.GetBytes(Signing.Canonical(parameters));
                using (var stream = request.GetRequestStream()) stream.Write(body, 0, body.Length);
            }
            using (var response = (HttpWebResponse)request.GetResponse())
            using (var reader = new StreamReader(response.GetResponseStream(), Encoding.UTF8))
            {
                if (response.StatusCode == HttpStatusCode.OK) return ReadAnswer(parameters, reader.ReadToEnd());
                throw new Failure("HTTP " + (int)response.StatusCode + ": is baseUrl right?");
            }
        }
        catch (WebException error)
        {
            var status = error.Response is HttpWebResponse response ? (int)response.StatusCode : 0;
            if (status == 0 || status == 429 || status >= 500)
            {
                throw new Unreachable("no answer (" + error.Message + "); query the order before you do anything else");
            }
            throw new Failure("HTTP " + status + ": is baseUrl right?");
        }
        catch (IOException error)
        {
            throw new Unreachable("no answer (" + error.Message + "); query the order before you do anything else");
        }
    }

    /// <summary>The envelope, when the platform signed it and it is about what was asked.</summary>
    Dictionary<string, object> ReadAnswer(Dictionary<string, object> parameters, string body)
    {
        Dictionary<string, object> envelope, data;
        string status;
        try
        {
            envelope = Json.Object(body);
            status = envelope["status"].ToString();
            data = (Dictionary<string, object>)envelope["data"];
        }
        catch (Exception error) when (error is FormatException || error is KeyNotFoundException || error is InvalidCastException)
        {
            throw new Failure("the answer is not an envelope: is baseUrl right?");
        }
        if (data == null || Member(data, "sign") == null)
        {
            if (!MayBeUnsigned.Contains(status)) throw new Failure("the answer " + status + " is not signed");
            return envelope;
        }
        var isOurs = Member(data, "mch_no") == mchNo && Member(data, "sign_type") == Signing.SignType;
        if (!isOurs || !Signing.Verifies(Signing.AnswerText(envelope), data["sign"], platformKey))
        {
            throw new Failure("the answer's signature does not verify with platformPublicKey");
        }
        // A signed answer about another order proves nothing about this one. The platform's number wins.
        var name = parameters.ContainsKey("transaction_no") ? "transaction_no" : "mch_trade_no";
        if (status == "200" && Member(data, name) != Member(parameters, name))
        {
            throw new Failure("the answer is about another order");
        }
        return envelope;
    }

    static string Member(Dictionary<string, object> members, string name)
    {
        return members.TryGetValue(name, out var value) ? value as string : null;
    }

    static string Random(int count)
    {
        var bytes = new byte[count];
        using (var random = RandomNumberGenerator.Create()) random.GetBytes(bytes);
        return string.Concat(bytes.Select(one => one.ToString("x2")));
    }

    /// <summary>Your own number of an order: store it before you place the order. 24 to 50 letters, digits, "_" and "-".</summary>
    static string NewTradeNo()
    {
        return DateTime.UtcNow.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture) + Random(10);
    }

    public Dictionary<string, object> Place(Dictionary<string, string> asked)
    {
        Func<string, string, string> of = (name, otherwise) => asked.TryGetValue(name, out var value) ? value : otherwise;
        var parameters = new Dictionary<string, object>
        {
            ["app_no"] = appNo,
            ["mch_trade_no"] = of("mch-trade-no", NewTradeNo()),
            ["description"] = of("description", "\u6d4b\u8bd5\u8ba2\u5355"),
            ["amount_total"] = of("amount", null), // a text with two decimals, never a number
            ["amount_currency"] = "CNY",
            ["extra"] = of("extra", null),
            ["notify_url"] = of("notify-url", null),
        };
        return Call("POST", "trade", parameters.Where(one => one.Value != null).ToDictionary(one => one.Key, one => one.Value));
    }

    // -- notifications ---------------------------------------------------------------------------------------------------

    /// <summary>The HTTP status and the body of the answer; `body` are the bytes as they came, before any JSON parser.</summary>
    KeyValuePair<int, string> Hear(byte[] body)
    {
        if (body.Length > BodyBytesMax) return new KeyValuePair<int, string>(413, NotHeard);
        Dictionary<string, object> news;
        try
        {
            // Encoding.UTF8 would hide bytes that are not UTF-8.
            news = Json.Object(new UTF8Encoding(false, true).GetString(body));
        }
        catch (Exception error) when (error is FormatException || error is ArgumentException)
        {
            return new KeyValuePair<int, string>(400, NotHeard);
        }
        if (news.Values.Any(member => member != null && !(member is string))) return new KeyValuePair<int, string>(400, NotHeard);
        var doubt = DoubtAbout(news);
        if (doubt != null)
        {
            Program.Err.WriteLine("refused: " + doubt);
            return new KeyValuePair<int, string>(401, NotHeard);
        }
        try
        {
            Once(news);
            return new KeyValuePair<int, string>(200, Heard);
        }
        catch (Exception error) // whatever failed: the gateway shall send it again
        {
            Program.Err.WriteLine("failed: " + error.Message);
            return new KeyValuePair<int, string>(500, NotHeard);
        }
    }

    /// <summary>Null when the notification is the platform's, for this merchant and recent.</summary>
    string DoubtAbout(Dictionary<string, object> news)
    {
        var isSigned = Signing.Verifies(Signing.NotificationText(news), Member(news, "sign"), platformKey);
        if (!isSigned || Member(news, "sign_type") != Signing.SignType)
        {
            return "the signature does not verify with platformPublicKey";
        }
        if (Member(news, "mch_no") != mchNo) return "it is for another merchant";
        const string form = "yyyy-MM-dd'T'HH:mm:sszzz";
        var isTime = DateTimeOffset.TryParseExact(
            Member(news, "notify_time"), form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var sentAt);
        if (!isTime) return "it has no notify_time";
        var age = (DateTimeOffset.UtcNow - sentAt).Duration();
        return age <= ClockTolerance ? null : "notify_time is " + age + " away: a replay, or a wrong clock?";
    }

    /// <summary>
    /// nonce and notify_time differ at each delivery; kind, number and code do not. In a shop: insert the event's id into a table
    /// with a unique key, in the transaction of your own change; a duplicate key means that it was dealt with.
    /// </summary>
    void Once(Dictionary<string, object> news)
    {
        var refundNo = Member(news, "refund_no");
        var named = refundNo == null ? "payment " + Member(news, "transaction_no") : "refund " + refundNo;
        var id = named + " " + Member(news, "code");
        lock (heard)
        {
            if (heard.Contains(id))
            {
                Program.Out.WriteLine("again " + id);
                return;
            }
            // Your own work comes here. Throw for a code that you do not know: the event comes again when you know it.
            Program.Out.WriteLine("event " + id);
            heard.Add(id);
        }
    }

    public void Serve(string port)
    {
        var listener = new HttpListener();
        listener.Prefixes.Add("http://127.0.0.1:" + port + "/");
        listener.Start();
        Program.Out.WriteLine("listening http://127.0.0.1:" + port + "/");
        while (true)
        {
            var context = listener.GetContext();
            ThreadPool.QueueUserWorkItem(_ => Answer(context));
        }
    }

    void Answer(HttpListenerContext context)
    {
        try
        {
            var body = new MemoryStream();
            var part = new byte[8192];
            int count;
            while (body.Length <= BodyBytesMax && (count = context.Request.InputStream.Read(part, 0, part.Length)) > 0)
            {
                body.Write(part, 0, count);
            }
            var answer = Hear(body.ToArray());
            var bytes = Encoding.UTF8.GetBytes(answer.Value);
            context.Response.StatusCode = answer.Key;
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.ContentLength64 = bytes.Length;
            context.Response.OutputStream.Write(bytes, 0, bytes.Length);
            context.Response.Close();
        }
        catch (Exception error) when (error is IOException || error is HttpListenerException)
        {
            Program.Err.WriteLine("the gateway went away: " + error.Message); // it sends the notification again
        }
    }
}

/// <summary>The command line.</summary>
static class Program
{
    // Console.Out would write in the machine's charset.
    public static readonly TextWriter Out = Writer(Console.OpenStandardOutput());
    public static readonly TextWriter Err = Writer(Console.OpenStandardError());

    static TextWriter Writer(Stream stream)
    {
        return TextWriter.Synchronized(new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true });
    }

    static bool CheckVectors(string file)
    {
        var vectors = Json.Object(File.ReadAllText(file));
        var keys = (Dictionary<string, object>)vectors["keys"];
        var areOk = true;
        foreach (Dictionary<string, object> row in (List<object>)vectors["requests"])
        {
            var parameters = (Dictionary<string, object>)row["params"];
            var text = Signing.RequestText(parameters, (string)parameters["mch_no"], (string)parameters["nonce"]);
            areOk &= CheckVector(row, text, keys["merchantPrivateKey"], keys["merchantPublicKey"]);
        }
        foreach (Dictionary<string, object> row in (List<object>)vectors["responses"])
        {
            var body = (Dictionary<string, object>)row["body"];
            var text = body.ContainsKey("status") ? Signing.AnswerText(body) : Signing.NotificationText(body);
            areOk &= CheckVector(row, text, keys["platformPrivateKey"], keys["platformPublicKey"]);
        }
        return areOk;
    }

    /// <summary>Both directions: the same signature is made, the given one verifies, and one for another text does not.</summary>
    static bool CheckVector(Dictionary<string, object> row, string text, object privateKey, object publicKey)
    {
        var key = Der.PublicKey((string)publicKey);
        var isOk = text == (string)row["canonical"]
            && Signing.Sign(text, Der.PrivateKey((string)privateKey)) == (string)row["sign"]
            && Signing.Verifies(text, row["sign"], key)
            && !Signing.Verifies(text + " ", row["sign"], key);
        Out.WriteLine((isOk ? "ok " : "FAILED ") + row["name"]);
        return isOk;
    }

    static void Show(Dictionary<string, object> data)
    {
        foreach (var one in data)
        {
            if (one.Value != null && !new[] { "sign", "sign_type", "nonce" }.Contains(one.Key)) Out.WriteLine(one.Key + " " + one.Value);
        }
    }

    static void Run(string command, Dictionary<string, string> asked)
    {
        var client = new Client(asked.TryGetValue("settings", out var file) ? file : ".acopay/demo.json");
        var order = new Dictionary<string, object>();
        if (asked.TryGetValue("transaction-no", out var transactionNo)) order["transaction_no"] = transactionNo;
        if (asked.TryGetValue("mch-trade-no", out var mchTradeNo)) order["mch_trade_no"] = mchTradeNo;
        if (command == "place") Show(client.Place(asked));
        else if (command == "query") Show(client.Call("GET", "trade", order));
        else if (command == "close") Show(client.Call("POST", "close", order));
        else if (command == "notify") client.Serve(asked.TryGetValue("port", out var port) ? port : "8081");
        else throw new Failure("say one of: vectors, place --amount 12.50, query --transaction-no NO, close --transaction-no NO, notify");
    }

    static int Main(string[] args)
    {
        var command = args.Length == 0 ? "" : args[0];
        try
        {
            if (command == "vectors")
            {
                return CheckVectors(args.Length > 1 ? args[1] : "packages/protocol/vectors/signature.json") ? 0 : 1;
            }
            var asked = new Dictionary<string, string>();
            for (var i = 1; i + 1 < args.Length; i += 2) asked[args[i].TrimStart('-')] = args[i + 1];
            Run(command, asked);
            return 0;
        }
        catch (Exception failure) when (failure is Failure || failure is IOException)
        {
            Err.WriteLine(failure.Message);
            return 1;
        }
    }
}
