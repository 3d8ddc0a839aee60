/// How bad it is what a check found.
public enum Severity: String, Encodable, Sendable {
    /// Worth knowing; nothing is wrong.
    case note
    /// Space that nothing refers to.
    case leak
    /// Something does not agree, and can be lived with; what is read may not be what the guest sees.
    case warning
    /// The bytes contradict the format, or a structure is gone: what the guest reads may be wrong.
    case damage
}

/// Something that a check found, in an image, a partition table, a volume group or a file system.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// Something that a driver can mend. Each is declared beside what mends it.
    public struct Repair: Hashable, Sendable {
        /// A word for it, unique over all layers: "gpt", "leaks".
        public let word: String

        /// A repair of that name.
        package init(_ word: String) { self.word = word }
    }

    /// How bad it is.
    public var severity: Severity
    /// The layer that it is in: "vhd", "partitions", "ext4"…
    public var layer: String
    /// The code with its layer, for programs to compare.
    public var id: ErrorCode
    /// A sentence for people.
    public var message: String
    /// The on-disk structure, as the format's documentation names it.
    public var structure: String?
    /// Its offset in the layer's own input, in bytes.
    public var offset: UInt64?
    /// The disk it is about, 0 for the first given; nil where one disk is checked, or for a group over several.
    public var disk: Int?
    /// The file it is about, in a file system.
    public var file: FileID?
    /// How many clusters, blocks or whatever else it is about.
    public var count: UInt64 = 1
    /// What mends it; nil: nothing here.
    public var repair: Repair?
    /// What else can be done about it, likeliest first.
    public var remedies: [Remedy]

    /// A stable word, as in `StorageError.code`.
    public var code: String { id.word }

    /// Makes a finding. `layerName` stands for the code's own layer in what is shown, as in `StorageError`.
    public init(
        _ severity: Severity, _ code: some LayerCode, _ message: String, layerName: String? = nil,
        structure: String? = nil, offset: UInt64? = nil, disk: Int? = nil, file: FileID? = nil,
        repair: Repair? = nil, remedies: [Remedy] = []
    ) {
        self.severity = severity
        id = ErrorCode(code)
        layer = layerName ?? id.layer
        self.message = message
        self.structure = structure
        self.offset = offset
        self.disk = disk
        self.file = file
        self.repair = repair
        self.remedies = remedies
    }

    /// What an error says that a check met.
    public init(_ error: StorageError, _ severity: Severity = .damage, file: FileID? = nil) {
        self.severity = severity
        id = error.id
        layer = error.layer
        message = error.message
        structure = error.structure
        offset = error.offset
        self.file = file
        remedies = error.remedies
    }

    /// `layer: sentence (structure, at byte 0x…)`.
    public var description: String {
        let place = [structure, offset.map { "at byte \($0.hex)" }].compactMap(\.self)
        return "\(layer): \(message)" + (place.isEmpty ? "" : " (\(place.joined(separator: ", ")))")
    }
}
