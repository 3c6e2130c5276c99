// swift-tools-version:6.2
import PackageDescription

/// One set of rules for every Swift target.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .strictMemorySafety(),
    // Checked in debug builds, where the tests run. In a release every access to an object's property would look at a list first, a tenth of all
    // instructions of a streamed event.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    .treatAllWarnings(as: .error),
]

/// Byte loops over pictures and bodies are a hundred times slower unoptimised, which would make the tests slow and nothing clearer.
let hot: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "OllamaBridge",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "ollama-bridge", targets: ["OllamaBridge"]),
        .library(name: "Translate", targets: ["Translate"]),
        .library(name: "Images", targets: ["Images"]),
        .library(name: "Fetch", targets: ["Fetch"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // What is asked of other machines: bytes in, bytes out. Knows no chat.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "Fetch", dependencies: ["CCurl"], swiftSettings: hot),
        .testTarget(name: "FetchTests", dependencies: ["Fetch", "TestSupport"], swiftSettings: strict),

        // Loops over bytes that want vectors.
        .target(name: "CBytes", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]),

        // Pictures: bytes in, JPEG out. Knows no network.
        .systemLibrary(
            name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"])]),
        .systemLibrary(name: "CGIF", providers: [.apt(["libgif-dev"])]),
        // libjpeg and libpng fail by longjmp; every call that can jump lives in this C target and nowhere else.
        .target(
            name: "CCodecs", dependencies: ["CTurboJPEG", "CJPEG", "CPNG", "CWebP", "CGIF"],
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("gif"), .linkedLibrary("z")]),
        .target(name: "Images", dependencies: ["CBytes", "CCodecs"], swiftSettings: hot),
        .testTarget(name: "ImagesTests", dependencies: ["Images", "CCodecs", "CTurboJPEG", "TestSupport"], swiftSettings: strict),

        // The two APIs and the way between them: values in, values out. Knows neither pixels nor network.
        .target(name: "Translate", dependencies: ["CBytes"], swiftSettings: hot),
        .testTarget(name: "TranslateTests", dependencies: ["Translate", "TestSupport"], swiftSettings: strict),

        // What the C library leaves out of Swift's module for it.
        .systemLibrary(name: "CMalloc"),

        // The server: the only target that knows all of the above.
        .executableTarget(
            name: "OllamaBridge",
            dependencies: [
                "CMalloc", "Fetch", "Images", "Translate",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OllamaBridgeTests",
            dependencies: [
                "Fetch", "OllamaBridge", "TestSupport", "Translate",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    ]
)
