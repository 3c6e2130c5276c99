/// A provider that needs no entry in models.json.
struct KnownProvider: Sendable {
    var name: String
    /// nil where only the operator can know it.
    var baseURL: String?
    /// Environment variables that replace the base URL, first one set wins.
    var baseURLVariables: [String] = []
    /// Environment variables with the key, first one set wins; the first is the one to recommend.
    var keyVariables: [String]
    var needsKey = true
    /// nil sends `Authorization: Bearer`.
    var keyHeader: String?
    var dialect: String

    static let all: [KnownProvider] = [
        KnownProvider(
            name: "openai", baseURL: "https://api.openai.com/v1", baseURLVariables: ["OPENAI_BASE_URL"],
            keyVariables: ["OPENAI_API_KEY"], dialect: "openai"),
        KnownProvider(
            name: "google", baseURL: "https://generativelanguage.googleapis.com/v1beta/openai",
            baseURLVariables: ["GEMINI_BASE_URL"], keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"], dialect: "google"),
        KnownProvider(
            name: "openrouter", baseURL: "https://openrouter.ai/api/v1",
            baseURLVariables: ["OPENROUTER_API_URL", "OPENROUTER_BASE_URL"], keyVariables: ["OPENROUTER_API_KEY"],
            dialect: "openrouter"),
        KnownProvider(name: "demo", baseURL: "", keyVariables: [], needsKey: false, dialect: "generic"),
        KnownProvider(
            name: "azure", baseURL: nil, baseURLVariables: ["AZURE_OPENAI_BASE_URL"], keyVariables: ["AZURE_OPENAI_API_KEY"],
            keyHeader: "api-key", dialect: "azure"),
        KnownProvider(
            name: "anthropic", baseURL: "https://api.anthropic.com/v1", keyVariables: ["ANTHROPIC_API_KEY"], dialect: "anthropic"),
        KnownProvider(
            name: "groq", baseURL: "https://api.groq.com/openai/v1", keyVariables: ["GROQ_API_KEY"], dialect: "groq"),
        KnownProvider(
            name: "mistral", baseURL: "https://api.mistral.ai/v1", keyVariables: ["MISTRAL_API_KEY"], dialect: "mistral"),
        KnownProvider(
            name: "deepseek", baseURL: "https://api.deepseek.com/v1", keyVariables: ["DEEPSEEK_API_KEY"], dialect: "deepseek"),
        KnownProvider(
            name: "bedrock", baseURL: nil, baseURLVariables: ["BEDROCK_BASE_URL"], keyVariables: ["AWS_BEARER_TOKEN_BEDROCK"],
            dialect: "bedrock"),
        KnownProvider(
            name: "vllm", baseURL: "http://127.0.0.1:8000/v1", baseURLVariables: ["VLLM_BASE_URL"], keyVariables: ["VLLM_API_KEY"],
            needsKey: false, dialect: "vllm"),
        KnownProvider(
            name: "llamacpp", baseURL: "http://127.0.0.1:8080/v1", baseURLVariables: ["LLAMACPP_BASE_URL"],
            keyVariables: ["LLAMA_API_KEY"], needsKey: false, dialect: "llamacpp"),
        KnownProvider(
            name: "lmstudio", baseURL: "http://127.0.0.1:1234/v1", baseURLVariables: ["LMSTUDIO_BASE_URL"], keyVariables: [],
            needsKey: false, dialect: "lmstudio"),
    ]

    static func named(_ name: String) -> KnownProvider? { all.first { $0.name == name } }
}
