import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Translate

/// Any error as an answer: in Ollama's shape under `/api`, in OpenAI's under `/v1`. An error nobody foresaw says nothing private.
enum FailureResponse {
    static func response(to error: any Error, path: String, log: Logger? = nil) -> Response {
        switch error {
        case let failure as OllamaFailure: return response(to: failure, path: path)
        case let failure as OpenAIFailure: return response(to: failure)
        case let error as JSONError:
            return response(to: OllamaFailure(status: 400, error: error == .empty ? "missing request body" : error.message), path: path)
        // Nobody reads it: the client has left, or its connection broke while its body was read.
        case is CancellationError, is IOError: return response(to: OllamaFailure(status: 499, error: "request canceled"), path: path)
        default:
            log?.error("Unforeseen error", metadata: ["error": "\(error)", "path": "\(path)"])
            return response(to: OllamaFailure(status: 500, error: "internal server error"), path: path)
        }
    }

    private static func response(to failure: OllamaFailure, path: String) -> Response {
        path.hasPrefix("/v1/") ? response(to: OpenAIFailure(failure)) : .failure(failure)
    }

    private static func response(to failure: OpenAIFailure) -> Response {
        var headers: HTTPFields = [:]
        if let seconds = failure.retryAfter { headers[.retryAfter] = String(seconds) }
        return .json(failure.body, status: .init(code: failure.status), headers: headers)
    }
}
