import HTTPTypes

extension CrossOrigin {
    /// Headers of an answer to a preflight request from an allowed origin.
    static func preflight(origin: String) -> HTTPFields {
        var fields = headers(origin: origin)
        fields[HTTPField.Name("Access-Control-Allow-Methods")!] = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"
        fields[HTTPField.Name("Access-Control-Allow-Headers")!] =
            "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,OpenAI-Beta,X-Stainless-Arch,X-Stainless-Async,"
            + "X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-OS,X-Stainless-Package-Version,"
            + "X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,X-Stainless-Timeout"
        fields[HTTPField.Name("Access-Control-Max-Age")!] = "43200"
        return fields
    }

    static func headers(origin: String) -> HTTPFields {
        var fields = HTTPFields()
        fields[HTTPField.Name("Access-Control-Allow-Origin")!] = origin
        fields[.vary] = "Origin"
        return fields
    }
}
