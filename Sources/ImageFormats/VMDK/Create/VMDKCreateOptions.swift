internal import Storage

/// The options of `create`, by qemu-img's names.
struct VMDKCreateOptions {
    /// What can be made.
    enum Subformat: String, CaseIterable {
        case monolithicSparse
        case monolithicFlat
        case vmfs
    }

    var subformat: Subformat = .monolithicSparse
    /// The virtual controller: ide, buslogic, lsilogic, legacyESX.
    var adapterType = "lsilogic"
    /// The oldest virtual hardware that takes the disk. 4 is what every VMware product since ESX 3 accepts.
    var hardwareVersion = "4"
    /// The version of the guest's VMware tools; this number says that VMware does not manage them.
    var toolsVersion = "2147483647"

    private static let adapterTypes = ["ide", "buslogic", "lsilogic", "legacyESX"]

    /// Checks and reads the options. Throws `misuse` naming the key.
    init(_ options: ImageCreateOptions) throws(StorageError) {
        try options.check(
            known: VMDKDriver.createOptions.map(\.name), format: .vmdk)
        if let name = options.value("subformat") {
            subformat = try Self.choice(
                name, of: Subformat.allCases.map { ($0.rawValue, $0) }, key: "subformat")
        }
        if let name = options.value("adapter_type") {
            adapterType = try Self.choice(name, of: Self.adapterTypes.map { ($0, $0) }, key: "adapter_type")
        }
        if let value = options.value("compat6") {
            let isOn = try Self.choice(
                value, of: [("on", true), ("true", true), ("off", false), ("false", false)], key: "compat6")
            if isOn { hardwareVersion = "6" }
        }
        if let value = options.value("hwversion") {
            hardwareVersion = try Self.number(value, key: "hwversion")
        }
        if let value = options.value("toolsversion") {
            toolsVersion = try Self.number(value, key: "toolsversion")
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
        [
            ImageCreateOption("subformat", "monolithicSparse (without it), monolithicFlat or vmfs"),
            ImageCreateOption("adapter_type", "ide, buslogic, lsilogic or legacyESX"),
            ImageCreateOption("hwversion", "the version of the virtual hardware"),
            ImageCreateOption("compat6", "on or off: virtual hardware of version 6"),
            ImageCreateOption("toolsversion", "the version of the tools in the guest"),
        ]
    }
}
