@main struct OllamaBridge { static func main() {} }
