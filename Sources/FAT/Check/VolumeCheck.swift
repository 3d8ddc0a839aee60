internal import Storage

/// A look at a whole volume: what contradicts the format, what is lost, what does not agree.
struct VolumeCheck {
    let fileSystem: FATFileSystem
    private let report: (Finding) -> Void
    /// Clusters that a file or directory has.
    var claimed: ClusterSet
    /// The first reason not to write to the volume.
    var obstacle: Finding?
    /// The directory that is looked at.
    var path = CheckedPath()
    private var told: [ErrorCode: ToldFindings] = [:]

    var geometry: Geometry { fileSystem.geometry }

    /// More findings of one code than this would say nothing new: they are counted.
    private static let findingLimit = 100

    init(_ fileSystem: FATFileSystem, report: @escaping (Finding) -> Void) {
        self.fileSystem = fileSystem
        self.report = report
        claimed = ClusterSet(clusterCount: fileSystem.geometry.clusterCount)
    }

    /// Reports all that is wrong with the volume on a device.
    static func run(_ device: any BlockDevice, report: (Finding) -> Void) throws(StorageError) {
        do throws(StorageError) {
            let fileSystem = try FATFileSystem.open(device)
            try withoutActuallyEscaping(report) { (report) throws(StorageError) in
                var check = VolumeCheck(fileSystem, report: report)
                try check.run()
                check.told.sorted { $0.key.word < $1.key.word }.compactMap {
                    $0.value.rest(layer: FATCode.layer, of: $0.key.word)
                }.forEach(report)
            }
        } catch {
            guard error.kind == .corrupt else { throw error }
            report(Finding(error))
        }
    }

    /// Looks at everything and returns which clusters are free.
    @discardableResult
    mutating func run() throws(StorageError) -> FreeSpace {
        try checkHead()
        try checkTree()
        return try checkTable()
    }

    /// Reports a finding. One that `blocks` forbids writing to the volume; damage does in any case.
    mutating func add(_ finding: Finding, blocks: Bool = false) {
        if obstacle == nil, blocks || finding.severity == .damage { obstacle = finding }
        if told[finding.id, default: ToldFindings(limit: Self.findingLimit)].takes(finding) {
            report(finding)
        }
    }

    mutating func add(
        _ severity: Severity, _ code: FATCode, _ message: String, structure: String? = nil,
        offset: UInt64? = nil, blocks: Bool = false
    ) {
        add(Finding(severity, code, message, structure: structure, offset: offset), blocks: blocks)
    }

    /// What an error says of the volume; others are thrown on.
    mutating func add(_ error: StorageError, in path: String) throws(StorageError) {
        guard error.kind == .corrupt else { throw error }
        var error = error
        error.message = "\(path): \(error.message)"
        add(Finding(error))
    }
}
