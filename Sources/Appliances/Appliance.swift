package import Machines
package import Storage

/// A machine whose description and disks lie in one archive: what it is, and its disks as files that are read where they lie.
package struct Appliance: Sendable {
    /// What the description says.
    package var machine: Machine
    /// The disks in the machine's order.
    package var disks: [Disk]
    /// What a user should know, a sentence each.
    package var notes: [String]

    /// A disk in the archive.
    package struct Disk: Sendable {
        /// Its name within the archive.
        package var name: String
        /// Its bytes, decoded where they are compressed.
        package var file: any ByteFile
        /// It is not in what is left of an archive that is salvaged: the file is empty.
        package var isMissing = false
    }

    /// The kinds of archive, by what their names end in.
    package enum Kind: String, Sendable, CaseIterable {
        /// The DMTF's: an OVF, a manifest, disks.
        case ova
        /// XenServer's and XCP-ng's export.
        case xva
        /// Proxmox VE's backup.
        case vma

        /// What a file's name ends in.
        package var suffix: String { ".\(rawValue)" }
    }

    /// Headers that are looked at for a description.
    private static let probeLimit = 64

    /// What a file is; nil for everything else. Reads headers alone.
    package static func kind(of file: any ByteFile) throws(StorageError) -> Kind? {
        let head = try file.availableBytes(at: 0, count: 512)
        if head.starts(with: VMAHeader.magic) { return .vma }
        guard head.count == 512, ArchiveReader.isHeader(head) else { return nil }
        var reader = ArchiveReader(file)
        do throws(StorageError) {
            for index in 0..<probeLimit {
                guard let entry = try reader.next() else { return nil }
                if index == 0, entry.name == Array("ova.xml".utf8) { return .xva }
                if OVAArchive.isDescription(entry) { return .ova }
            }
        } catch {
            // Damaged behind the first members; an archive of something else is none of ours.
            guard !error.isCancellation, file.path.lowercased().hasSuffix(Kind.ova.suffix) else {
                throw error
            }
            return .ova
        }
        return nil
    }

    /// Opens one. `verifies`: digests are compared with what is there, of an OVA at once, of an XVA as it is read. `isSalvage`: an
    /// archive that is cut off or damaged is taken as far as it goes, and an OVA's digests are not compared. `machine`: of several
    /// the one that is called so.
    package static func open(
        _ file: any ByteFile, _ kind: Kind, verifies: Bool = true, machine: String? = nil,
        isSalvage: Bool = false
    ) throws(StorageError) -> Appliance {
        do throws(StorageError) {
            return switch kind {
            case .ova:
                try OVAArchive.open(
                    file, verifies: verifies && !isSalvage, machine: machine, isSalvage: isSalvage)
            case .vma: try VMAArchive.open(file, machine: machine, isSalvage: isSalvage)
            case .xva: try XVAArchive.open(file, verifies: verifies, machine: machine, isSalvage: isSalvage)
            }
        } catch {
            throw error.inFile(file.path)
        }
    }

    /// A disk's file, which is decoded where it is read when the description says that it is compressed as a whole. Throws
    /// `unsupported` for other compressions than gzip, `corrupt` for a damaged one; `isSalvage` takes that as far as it goes.
    package static func decoded(
        _ file: any ByteFile, _ disk: Machine.Disk, isSalvage: Bool = false
    ) throws(StorageError) -> any ByteFile {
        try OVAArchive.decoded(file, disk, isSalvage: isSalvage)
    }
}
