// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "PatchInFiveLines",
    dependencies: [.package(name: "diskgraft", path: "../..")],
    targets: [
        .executableTarget(
            name: "PatchInFiveLines", dependencies: [.product(name: "DiskGraft", package: "diskgraft")])
    ]
)
