// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "diskgraft", path: "..")],
    targets: [
        .executableTarget(
            name: "ReadBenchmark", dependencies: [.product(name: "DiskGraft", package: "diskgraft")])
    ]
)
