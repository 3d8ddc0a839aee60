// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "diskgraft",
    products: [
        .library(name: "DiskGraft", targets: ["DiskGraft"]),
        .executable(name: "diskgraft", targets: ["diskgraft"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(name: "CLz4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CLzo", providers: [.apt(["liblzo2-dev"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .target(name: "CLinux"),

        .target(name: "Storage", dependencies: ["CLinux"], swiftSettings: settings),
        .target(name: "Machines", dependencies: ["Storage", "CExpat"], swiftSettings: settings),
        .target(
            name: "Appliances", dependencies: ["Storage", "Codecs", "Machines", "CCrypto"],
            swiftSettings: settings),
        .target(name: "HostIO", dependencies: ["Storage", "CLinux"], swiftSettings: settings),
        .target(name: "Undo", dependencies: ["Storage", "HostIO"], swiftSettings: settings),
        .target(
            name: "Codecs",
            dependencies: ["Storage", "CZlib", "CZstd", "CLzma", "CBzip2", "CLz4", "CLzo"],
            swiftSettings: settings),
        .target(name: "Initramfs", dependencies: ["Storage", "Codecs"], swiftSettings: settings),
        .target(name: "ImageFormats", dependencies: ["Storage", "Codecs"], swiftSettings: settings),
        .target(name: "Partitions", dependencies: ["Storage"], swiftSettings: settings),
        .target(name: "Ext4", dependencies: ["Storage"], swiftSettings: settings),
        .target(name: "KernelModules", dependencies: ["Storage", "Codecs"], swiftSettings: settings),
        .target(name: "FAT", dependencies: ["Storage"], swiftSettings: settings),
        .target(name: "XFS", dependencies: ["Storage"], swiftSettings: settings),
        .target(name: "GuestTree", dependencies: ["Storage"], swiftSettings: settings),
        .target(
            name: "Patcher", dependencies: ["Storage", "GuestTree", "Initramfs", "KernelModules"],
            swiftSettings: settings),
        .target(
            name: "Conversion", dependencies: ["Storage", "Codecs", "ImageFormats"], swiftSettings: settings),
        .target(
            name: "DiskGraft",
            dependencies: [
                "Storage", "HostIO", "Undo", "ImageFormats", "Partitions", "Ext4", "FAT", "XFS", "GuestTree",
                "Patcher", "Conversion", "Initramfs", "Machines", "Appliances", "Codecs",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "diskgraft",
            dependencies: [
                "DiskGraft", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["Storage", "HostIO", "Undo", "Codecs", "ImageFormats"],
            path: "Tests/TestSupport",
            swiftSettings: settings),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "HostIO", "Undo", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "HostIOTests", dependencies: ["HostIO", "Storage", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "UndoTests", dependencies: ["Undo", "HostIO", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "CodecsTests", dependencies: ["Codecs", "Storage", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "InitramfsTests", dependencies: ["Initramfs", "Codecs", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ConversionTests",
            dependencies: ["Conversion", "Codecs", "ImageFormats", "HostIO", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ImageFormatsTests",
            dependencies: ["ImageFormats", "Undo", "HostIO", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "PartitionsTests",
            dependencies: ["Partitions", "Ext4", "FAT", "XFS", "HostIO", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "Ext4Tests",
            dependencies: ["Ext4", "ImageFormats", "Undo", "HostIO", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "FATTests", dependencies: ["FAT", "Storage", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "XFSTests", dependencies: ["XFS", "Storage", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "CommandTests",
            dependencies: ["diskgraft", "DiskGraft", "Undo", "HostIO", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DiskGraftTests", dependencies: ["DiskGraft", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "MachinesTests", dependencies: ["Machines", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "AppliancesTests",
            dependencies: ["Appliances", "ImageFormats", "Machines", "HostIO", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "KernelModulesTests", dependencies: ["KernelModules", "Codecs", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "GuestTreeTests", dependencies: ["GuestTree", "Storage", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "PatcherTests",
            dependencies: ["Patcher", "Initramfs", "GuestTree", "Storage", "TestSupport"],
            swiftSettings: settings),
    ]
)
