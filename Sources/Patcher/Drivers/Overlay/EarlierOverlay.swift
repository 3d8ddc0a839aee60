internal import GuestTree
internal import Initramfs
internal import KernelModules
internal import Storage

/// What an earlier plan added to an entry's initramfs. A further one takes its place, so that moving a guest on and back
/// leaves one file.
struct EarlierOverlay {
    /// What every name of such a file begins with, before the kernel's release.
    static let prefix = "diskgraft-drivers-"

    /// Its file, with the bytes that it has.
    var old: ReplacedFile
    /// The names of its modules.
    var modules: [String]
    /// Its copies of configuration.
    var corrections: [CorrectedCopy]
    /// The file is a whole image: the one that it was made from is in it.
    var isWhole: Bool
    /// The initramfs without anything that was added, as one image.
    var image: ByteSource

    /// Whether a file has such a name.
    static func isNamed(_ file: GuestFile) -> Bool {
        let name = file.path.components.last ?? []
        return name.starts(with: Array(prefix.utf8)) && name.suffix(4).elementsEqual(".img".utf8)
    }
}

/// A file that is written anew as a whole.
struct ReplacedFile: Sendable {
    /// The file.
    var file: GuestFile
    /// All of its bytes.
    var bytes: [UInt8]
}

extension DriverReading {
    /// What was added to an image before; nil where nothing was, or somebody else made the file of that name.
    func earlierOverlay(_ files: [GuestFile]) throws(StorageError) -> EarlierOverlay? {
        guard files.contains(where: EarlierOverlay.isNamed) else { return nil }
        var sources: [ByteSource] = []
        var last: (file: GuestFile, isWhole: Bool)?
        var modules: [String] = []
        var corrections: [CorrectedCopy] = []
        for file in files {
            let source = ByteSource(file, in: guest.tree)
            guard EarlierOverlay.isNamed(file), case .read(let contents, let report) = try image([file]),
                contents.failure == nil, let added = contents.addedMember
            else {
                sources.append(source)
                continue
            }
            let isWhole = contents.members.count > 1
            last = (file, isWhole)
            for entry in contents.entries[added.entries] where entry.type == .regular {
                if let name = ModuleName.ofFile(String(hostBytes: entry.path)), !modules.contains(name) {
                    modules.append(name)
                }
            }
            corrections += EarlierOverlay.corrections(report, among: contents.entries[added.entries])
            // What is added stands in front of the image in the file, or behind it.
            let end = added.offset + added.byteCount
            if isWhole {
                sources.append(
                    try source.slice(added.offset == 0 ? end..<source.byteCount : 0..<added.offset))
            }
        }
        guard let last, let image = ByteSource.loaded(sources),
            last.file.attributes.size <= UInt64(Self.wholeLimit)
        else { return nil }
        let bytes = try ByteSource(last.file, in: guest.tree).bytes(
            at: 0, count: Int(last.file.attributes.size))
        return EarlierOverlay(
            old: ReplacedFile(file: last.file, bytes: bytes), modules: modules, corrections: corrections,
            isWhole: last.isWhole, image: image)
    }

    /// Copied in memory.
    static var wholeLimit: Int { 64 << 20 }
}

extension InitramfsContents {
    /// The archive of this image that was added to it.
    fileprivate var addedMember: InitramfsMember? {
        members.first { member in
            member.codec == nil
                && entries[member.entries].contains {
                    $0.path == Array(PrivateModules.root.utf8) && $0.type == .directory
                }
        }
    }
}
