public import ImageFormats
public import Storage

extension ImageFormat {
    /// The format of a name as users of qemu-img type it. Throws `misuse`, code "unknown-format", with all names.
    public init(named name: String) throws(StorageError) {
        guard let format = ImageFormat(name: name) else {
            throw StorageError(
                .misuse, DiskCode.unknownFormat,
                "there is no format \"\(name)\"; the formats are \(Self.names)")
        }
        self = format
    }
}

extension VHDSizeRule {
    /// The rule of a name. Throws `misuse`, code "unknown-size-rule", with all names.
    public init(named name: String) throws(StorageError) {
        guard let rule = VHDSizeRule(rawValue: name) else {
            throw StorageError(
                .misuse, DiskCode.unknownSizeRule,
                "a VHD's size is taken by \(Self.allCases.map(\.rawValue).alternatives), not by \"\(name)\"")
        }
        self = rule
    }
}

extension [String] {
    /// "auto, current_size or chs", for people.
    var alternatives: String {
        guard count > 1, let last else { return first ?? "" }
        return dropLast().joined(separator: ", ") + " or " + last
    }
}
