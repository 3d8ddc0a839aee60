internal import ImageFormats
internal import Partitions
public import Storage

/// Checks a guest's disks over all layers: image tables, partition tables, logical volumes, file systems.
public struct GuestCheck: Encodable, Sendable {
    /// How bad a finding is.
    public enum Severity: String, Encodable, Sendable {
        /// Worth knowing.
        case note
        /// Space in an image that nothing refers to.
        case leak
        /// Something does not agree.
        case warning
        /// A structure is damaged.
        case damage
    }

    /// Something that was found.
    public struct Finding: Encodable, Sendable {
        /// How bad it is.
        public var severity: Severity
        /// The layer: "vhd", "partition table", "ext4"…
        public var layer: String
        /// The image.
        public var image: String
        /// The volume, where it is about one.
        public var volume: String?
        /// A stable word for scripts.
        public var code: String
        /// The on-disk structure.
        public var structure: String?
        /// The byte offset of the structure within the layer's own input.
        public var offset: UInt64?
        /// One sentence.
        public var message: String
    }

    /// Everything that was found.
    public internal(set) var findings: [Finding] = []
    /// What was mended, a sentence each.
    public private(set) var repaired: [String] = []

    /// Whether anything is damaged.
    public var isDamaged: Bool { findings.contains { $0.severity == .damage } }

    /// Nothing on the images is of a kind that can be checked: no tables, no file system that is known.
    public private(set) var checkedNothing = false

    /// Whether an image leaks space.
    public var leaks: Bool { findings.contains { $0.severity == .leak } }

    private enum CodingKeys: String, CodingKey {
        case findings, repaired
        case checkedNothing = "checked-nothing"
    }

    /// What may be repaired.
    public enum Repair: String, Sendable, CaseIterable {
        /// A damaged, missing or displaced copy of a GPT, from the sound one.
        case gpt
        /// Clusters of a qcow2 image that nothing refers to.
        case leaks
    }

    /// Checks the images at `paths`, which are the disks of one guest. With `repair` they are opened for writing,
    /// and what is repaired is undoable.
    ///
    /// Damage is a finding; thrown is what keeps the check from being made.
    public static func run(
        _ paths: [String], options: ImageOptions = ImageOptions(), repair: Set<Repair> = []
    ) throws(StorageError) -> GuestCheck {
        var check = GuestCheck()
        for path in paths {
            if repair.contains(.leaks) { try check.repairLeaks(path, options) }
            try check.checkTables(path, options)
        }
        if check.isDamaged { return check }
        let guest: Guest
        do throws(StorageError) {
            guest = try Guest.open(paths, options: options, forWriting: repair.contains(.gpt))
        } catch {
            guard error.kind == .corrupt else { throw error }
            check.add(error, image: error.path ?? paths.first ?? "", volume: nil)
            return check
        }
        try check.checkImages(guest)
        if repair.contains(.gpt) { try check.repairGPT(guest) }
        // What was repaired is looked at again.
        let view = !repair.contains(.gpt) ? guest : try guest.seen(through: guest.devices)
        check.checkLayout(view)
        try check.checkVolumes(view)
        try Cancellation.check()
        return check
    }

    /// The image's own tables.
    private mutating func checkTables(_ path: String, _ options: ImageOptions) throws(StorageError) {
        var found: [Finding] = []
        try ImageProbe.check(
            path, format: try options.imageFormat(), locking: options.ignoresLocks ? .ignore : .honour
        ) { finding in
            let severity: Severity =
                switch finding.severity {
                case .damage: .damage
                case .leak: .leak
                case .note: .note
                }
            found.append(
                Finding(
                    severity: severity, layer: finding.layer, image: path, code: finding.code,
                    structure: finding.structure, offset: finding.offset, message: finding.message))
        }
        findings += found
    }

    private mutating func checkLayout(_ guest: Guest) {
        for finding in guest.layout.findings {
            let severity: Severity =
                switch finding.severity {
                case .note: .note
                case .warning: .warning
                case .damage: .damage
                }
            findings.append(
                Finding(
                    severity: severity, layer: "partitions",
                    image: guest.images[finding.disk ?? 0].path, code: finding.code, message: finding.message)
            )
        }
    }

    /// A volume whose contents are not looked into: that is said, because silence would read as "sound". One that
    /// nothing is known of may be a file system whose superblock was overwritten.
    private mutating func checkOther(
        _ volume: Volume, path: String, _ registry: FileSystemRegistry
    ) throws(StorageError) {
        let kind = volume.identity.kind
        guard !kind.isContainer, kind != .swap else { return }
        if kind == .unknown {
            var hasRemains = false
            for driver in registry.drivers {
                try driver.findRemains(on: volume.device) { finding in
                    hasRemains = true
                    add(finding, image: path, volume: volume.name)
                }
            }
            if hasRemains { return }
        }
        // Of others the number means something else: of btrfs, for one, all its devices.
        let tells: Set<VolumeIdentity.Kind> = [.vfat, .ntfs, .xfs]
        if tells.contains(kind), let claimed = volume.identity.byteCount, claimed > volume.device.byteCount {
            add(
                Storage.Finding(
                    .damage, layer: kind.rawValue, code: "truncated-device",
                    "it claims \(claimed) bytes and its device has \(volume.device.byteCount); the image may be truncated",
                    structure: "superblock"), image: path, volume: volume.name)
        }
        add(
            Storage.Finding(
                .note, layer: kind == .unknown ? "volume" : kind.rawValue, code: "not-checked",
                kind == .unknown
                    ? "nothing that is known is in it, so nothing in it was checked"
                    : "its contents are not checked here"), image: path, volume: volume.name)
    }

    private mutating func checkVolumes(_ guest: Guest) throws(StorageError) {
        checkedNothing =
            guest.images.allSatisfy { $0.format == "raw" }
            && guest.layout.disks.allSatisfy { $0.table.kind == .none }
            && !guest.volumes.contains {
                $0.identity.kind.isContainer || guest.registry.driver(for: $0.identity.kind) != nil
            }
        for (index, volume) in guest.volumes.enumerated()
        where guest.registry.driver(for: volume.identity.kind) == nil {
            let path = guest.path(ofVolume: index)
            do throws(StorageError) {
                try checkOther(volume, path: path, guest.registry)
            } catch {
                guard error.isAboutImage else { throw error.inFile(path) }
            }
        }
        for (index, volume) in guest.volumes.enumerated() {
            guard let driver = guest.registry.driver(for: volume.identity.kind) else { continue }
            let path = guest.path(ofVolume: index)
            do throws(StorageError) {
                try driver.check(volume.device) { add($0, image: path, volume: volume.name) }
            } catch {
                guard error.isAboutImage else { throw error.inFile(path) }
                add(error, image: path, volume: volume.name)
            }
        }
    }

    private mutating func add(_ finding: Storage.Finding, image: String, volume: String) {
        let severity: Severity =
            switch finding.severity {
            case .damage: .damage
            case .warning: .warning
            case .note: .note
            }
        findings.append(
            Finding(
                severity: severity, layer: finding.layer, image: image,
                volume: volume, code: finding.code, structure: finding.structure, offset: finding.offset,
                message: finding.message))
    }

    private mutating func repairLeaks(_ path: String, _ options: ImageOptions) throws(StorageError) {
        try options.requireLocks(path)
        try DiskImage.recover(path, options.records)
        let file = try HostFile.open(path, access: .write)
        let format =
            if let known = try options.imageFormat() { known } else { try ImageProbe.format(of: file) }
        let driver = try ImageProbe.driver(for: format)
        guard driver.findsLeaks else {
            // Their tables have no count of what is free: only a copy leaves the space out.
            return findings.append(
                Finding(
                    severity: .note, layer: format.rawValue, image: path, code: "leaks-not-repaired",
                    message:
                        "space that a \(format.rawValue) leaks is given back by `diskgraft convert` into a new "
                        + "image, not in place"))
        }
        let transaction = try HostTransaction([file], records: options.records)
        let done: [String]
        do throws(StorageError) {
            done = try driver.repairLeaks(file)
        } catch {
            transaction.rollBack()
            throw error.inFile(path)
        }
        try transaction.commit()
        repaired += done.map { "\(path): \($0)" }
    }

    private mutating func repairGPT(_ guest: Guest) throws(StorageError) {
        for image in guest.images {
            guard let repair = try GPTRepair.plan(image.device) else { continue }
            let transaction = try HostTransaction(image.opened.disk.map.hostFiles, records: image.records)
            do throws(StorageError) {
                try repair.commit(to: image.opened.disk)
                try image.opened.disk.flush()
            } catch {
                transaction.rollBack()
                throw error.inFile(image.path)
            }
            try transaction.commit()
            repaired += repair.actions.map { "\(image.path): \($0)" } + image.recordNotes
        }
    }

    mutating func add(_ error: StorageError, image: String, volume: String?) {
        findings.append(
            Finding(
                severity: error.kind == .corrupt ? .damage : .warning, layer: error.layer, image: image,
                volume: volume, code: error.code, structure: error.structure, offset: error.offset,
                message: error.message))
    }
}

extension VolumeIdentity.Kind {
    /// Volumes are found in it, and those are what is checked.
    fileprivate var isContainer: Bool { self == .lvm2 || self == .mdRAID }
}
