import Fetch
import Testing

@Suite struct HTTPDateTests {
    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799), ("thu, 01 jan 1970 00:00:10 GMT", 10),
    ]) func `is read`(_ text: String, _ seconds: Int) {
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test(arguments: [
        "", "0", "-1", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 EST", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 19940 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49 GMT", "99999999999999999999999999", "a b c d e f", ", , , , , GMT",
    ]) func `is no date`(_ text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }
}

@Suite struct RetryAfterTests {
    static let now = 784_111_777

    @Test(arguments: [
        ("120", 120), (" 7 ", 7), ("0", 1), ("3600", 3600), ("3601", 3600), ("99999999999999999999999", 3600),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60), ("Sun, 06 Nov 1994 08:00:00 GMT", 1), ("Mon, 07 Nov 1994 08:49:37 GMT", 3600),
    ]) func `is read as seconds from now`(_ value: String, _ seconds: Int) {
        #expect(RetryAfter.seconds(value, now: Self.now) == seconds)
    }

    @Test(arguments: ["", " ", "-5", "1.5", "soon", "12a", "1 2"]) func `is not understood`(_ value: String) {
        #expect(RetryAfter.seconds(value, now: Self.now) == nil)
    }
}
