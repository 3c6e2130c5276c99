/// Ollama's model names: `[host/][namespace/]model[:tag]`.
public enum ModelName {
    /// As Ollama writes a name out in full.
    static func registryName(_ name: String) -> String { name }
}
