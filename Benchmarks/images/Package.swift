// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "image-bench",
    platforms: [.macOS(.v15)],
    dependencies: [.package(path: "../..")],
    targets: [.executableTarget(name: "image-bench", dependencies: [.product(name: "Images", package: "OllamaBridge")])]
)
