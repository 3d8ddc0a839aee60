internal import Storage

/// The options of `create`, by qemu-img's names.
struct VMDKCreateOptions {
    /// What can be made, by the names that descriptors have for it.
    enum Subformat: String, CaseIterable {
        case monolithicSparse
        case monolithicFlat
        case twoGbMaxExtentSparse
        case twoGbMaxExtentFlat
        case vmfs
        case streamOptimized

        /// Whether its extents have all of their space from the start.
        var isFlat: Bool { [.monolithicFlat, .twoGbMaxExtentFlat, .vmfs].contains(self) }
        /// Whether it is cut into pieces of 2 GiB at most.
        var isSplit: Bool { [.twoGbMaxExtentSparse, .twoGbMaxExtentFlat].contains(self) }
        /// Whether the descriptor lies in the one file.
        var isOneFile: Bool { [.monolithicSparse, .streamOptimized].contains(self) }
    }

    var subformat: Subformat = .monolithicSparse
    /// The virtual controller: ide, buslogic, lsilogic, legacyESX.
    var adapterType = "lsilogic"
    /// The oldest virtual hardware that takes the disk. 4 is what every VMware product since ESX 3 accepts.
    var hardwareVersion = "4"
    /// The version of the guest's VMware tools; this number says that VMware does not manage them.
    var toolsVersion = "2147483647"
    /// Whether a sparse extent's tables may say of a grain that it is zeros.
    var hasZeroedGrains = false
    /// What VMware knows the disk by; nil: the descriptor has none.
    var identifier: UUID16?
    /// The level that a stream's grains are deflated at; nil: the codec's own choice.
    var compressionLevel: Int?

    private static let adapterTypes = ["ide", "buslogic", "lsilogic", "legacyESX"]

    /// Checks and reads the options. Throws `misuse` naming the key.
    init(_ options: ImageCreateOptions) throws(StorageError) {
        try options.check(known: VMDKDriver.createOptions.map(\.name), format: .vmdk)
        if let name = options.value("subformat") {
            subformat = try Self.choice(
                name, of: Subformat.allCases.map { ($0.rawValue, $0) }, key: "subformat")
        }
        if let name = options.value("adapter_type") {
            adapterType = try Self.choice(name, of: Self.adapterTypes.map { ($0, $0) }, key: "adapter_type")
        }
        if let value = options.value("hwversion") {
            hardwareVersion = try Self.number(value, key: "hwversion")
        }
        if try options.flag("compat6", default: false, format: .vmdk) {
            guard options.value("hwversion") == nil else {
                throw .vmdk(.misuse, .option, "compat6 and hwversion say the same thing; give one")
            }
            hardwareVersion = "6"
        }
        if let value = options.value("toolsversion") {
            toolsVersion = try Self.number(value, key: "toolsversion")
        }
        hasZeroedGrains = try options.flag("zeroed_grain", default: false, format: .vmdk)
        guard !hasZeroedGrains || [.monolithicSparse, .twoGbMaxExtentSparse].contains(subformat) else {
            throw .vmdk(.misuse, .option, "zeroed_grain is for sparse disks, not for \(subformat.rawValue)")
        }
        if let text = options.value("uuid") {
            guard let identifier = UUID16(text: text) else {
                throw options.badValue(
                    "uuid", "a UUID such as \"6000c29a-c9ec-2da9-3d15-2fea25fbe41f\"", .vmdk)
            }
            self.identifier = identifier
        }
        if let text = options.value("compression_level") {
            guard subformat == .streamOptimized else {
                throw .vmdk(.misuse, .option, "compression_level is for streamOptimized disks")
            }
            guard let level = Int(text), (1...9).contains(level) else {
                throw options.badValue("compression_level", "1 to 9", .vmdk)
            }
            compressionLevel = level
        }
        guard options.parent == nil || subformat == .monolithicSparse else {
            throw .vmdk(
                .misuse, .option, "a disk with a parent is monolithicSparse, not \(subformat.rawValue)")
        }
    }

    private static func choice<T>(
        _ name: String, of choices: [(String, T)], key: String
    ) throws(StorageError) -> T {
        if let match = choices.first(where: { $0.0.lowercased() == name.lowercased() }) { return match.1 }
        throw .vmdk(
            .misuse, .option,
            "\(key) cannot be \"\(name)\"; it can be \(choices.map(\.0).joined(separator: ", "))")
    }

    private static func number(_ value: String, key: String) throws(StorageError) -> String {
        guard let number = UInt32(value), value.first != "+" else {
            throw .vmdk(.misuse, .option, "\(key) is a number, not \"\(value)\"")
        }
        return String(number)
    }
}

extension VMDKDriver {
    package static var createOptions: [ImageCreateOption] {
        let names = VMDKCreateOptions.Subformat.allCases.map(\.rawValue)
        return [
            ImageCreateOption(
                "subformat",
                "\(names[0]) (without it), \(names[1..<names.count - 1].joined(separator: ", ")) or \(names[names.count - 1])"
            ),
            ImageCreateOption("adapter_type", "ide, buslogic, lsilogic or legacyESX"),
            ImageCreateOption("hwversion", "the version of the virtual hardware"),
            ImageCreateOption("compat6", "on or off: virtual hardware of version 6"),
            ImageCreateOption("toolsversion", "the version of the tools in the guest"),
            ImageCreateOption(
                "zeroed_grain", "on or off: a sparse disk's tables can say that a grain is zeros"),
            ImageCreateOption("uuid", "what VMware knows the disk by (ddb.uuid)"),
            ImageCreateOption("compression_level", "1 to 9, of streamOptimized; 6"),
        ]
    }
}
