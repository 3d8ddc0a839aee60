internal import Machines
internal import Storage

/// A text or an archive that describes a virtual machine, given where one of its disks is wanted and under a name that no
/// description has. It is not read: a disk is a file that its guest writes, and a guest could write a description.
struct MachineDescription {
    /// What it is: "an OVF description".
    let kind: String
    /// What it is called where it is read.
    let suffix: String?

    /// Judges the first bytes of a file; nil for everything else.
    init?(head: [UInt8]) {
        if head.count >= 512, Array(head[257..<262]) == Array("ustar".utf8) {
            let name = String(decoding: head.prefix(100).prefix { $0 != 0 }, as: UTF8.self)
            guard name.lowercased().hasSuffix(".ovf") || name == "ova.xml" else { return nil }
            kind = name == "ova.xml" ? "an export of XenServer" : "an OVA archive"
            suffix = name == "ova.xml" ? ".xva" : ".ova"
            return
        }
        if head.starts(with: [0x14, 0x20, 0x28, 0x01]) {
            kind = "Hyper-V's description of a machine (.vmcx), which is not read"
            suffix = nil
            return
        }
        guard let language = DescriptionLanguage.recognise(head) else {
            guard DescriptionLanguage.isOtherXML(head) else { return nil }
            kind = "an XML text"
            suffix = nil
            return
        }
        kind = language.title
        suffix = GivenDescription.suffix(of: language)
    }

    /// Throws when the file at `path` is such a thing.
    static func refuse(_ path: String) throws(StorageError) {
        guard HostDirectory.isRegularFile(path) else { return }
        let file = try HostFile.open(path, locking: .ignore)
        guard let description = MachineDescription(head: try file.availableBytes(at: 0, count: 64 << 10))
        else { return }
        let advice =
            description.suffix.map { "as a description it is read where its name ends in \($0); else give" }
            ?? "give"
        throw StorageError(
            .refused, GuestInputCode.machineDescription,
            "is \(description.kind), not a disk; \(advice) the disk images that it names", path: path)
    }
}

/// What is wrong with files that are given as a guest's disks.
enum GuestInputCode: String, LayerCode {
    static let layer = "guest"

    /// It describes a machine and is none of its disks.
    case machineDescription = "machine-description"
    /// It describes several disks, and one is needed.
    case severalDisks = "several-disks"
    /// It describes no disk.
    case noDisks = "no-disks"
    /// It has no disk of that number.
    case noSuchDisk = "no-such-disk"
    /// A disk of a description is chosen, and there is no description.
    case noDescription = "no-description"
    /// It is called a description and is none.
    case notADescription = "not-a-description"
    /// It lies in an archive.
    case archiveMember = "archive-member"
}
