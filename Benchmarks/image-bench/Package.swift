// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "image-bench",
    platforms: [.macOS(.v15)],
    dependencies: [
        // With a name, because a path alone is known by what its folder happens to be called.
        .package(name: "OllamaBridge", path: "../..")
    ],
    targets: [.executableTarget(name: "image-bench", dependencies: [.product(name: "Images", package: "OllamaBridge")])]
)
