internal import Initramfs
public import Storage

/// What `initramfs` tells of one image: its members, what made it, and what it holds.
public struct InitramfsDescription: Encodable, Sendable {
    /// What made it: "initramfs-tools", "dracut"…
    public var generator: String
    /// The generator's version, where it wrote it down.
    public var generatorVersion: String?
    /// Whether it was made for one machine; nil where nothing tells.
    public var isHostOnly: Bool?
    /// What it boots, when that is a live system.
    public var liveSystem: String?
    /// Whether /lib is a link to usr/lib.
    public var isUsrMerged: Bool
    /// Whether systemd is its init.
    public var hasSystemd: Bool
    /// The releases of the kernels whose modules it holds.
    public var releases: [String]
    /// Why Linux does not unpack all of it; nil where it does.
    public var failure: String?
    /// The file system that it is in place of archives.
    public var fileSystem: String?
    /// Where more could be added: "behind", "before"; nil for nowhere.
    public var placeOfAdditions: String?
    /// Its members.
    public var members: [Member]
    /// Its modules.
    public var modules: [Module]
    /// Modules that it loads by name, by file.
    public var loadedModules: [ModuleList]
    /// Copies of configuration.
    public var configuration: [Configuration]
    /// The tree that it unpacks to.
    public var files: [File]
    /// What the unified kernel image says that it is part of.
    public var unifiedKernel: UnifiedKernel?

    /// A part that is unpacked by itself.
    public struct Member: Encodable, Sendable {
        /// Where it begins.
        public var offset: UInt64
        /// Its length in the image.
        public var size: UInt64
        /// How it is compressed; nil where it is not.
        public var compression: String?
        /// What it decodes to, in bytes.
        public var decodedSize: UInt64
        /// How many entries it has.
        public var entries: Int
        /// Whether it is for what Linux looks for before it unpacks.
        public var isEarly: Bool
    }

    /// A kernel module.
    public struct Module: Encodable, Sendable {
        /// Its name, with "_" for "-".
        public var name: String
        /// Its path.
        public var path: String
        /// Its length there.
        public var size: UInt64
    }

    /// Modules that a file names.
    public struct ModuleList: Encodable, Sendable {
        /// The file.
        public var path: String
        /// Their names.
        public var modules: [String]
    }

    /// A copy of configuration.
    public struct Configuration: Encodable, Sendable {
        /// Its path.
        public var path: String
        /// What it configures.
        public var kind: String
        /// Its length.
        public var size: Int
    }

    /// A file of the tree.
    public struct File: Encodable, Sendable {
        /// Its path.
        public var path: String
        /// The path's bytes in hexadecimal, where they are not UTF-8.
        public var pathHex: String?
        /// What it is.
        public var type: String
        /// The low twelve mode bits.
        public var permissions: UInt16
        /// Its length.
        public var size: UInt64
        /// Where a link points.
        public var target: String?
        /// Which member it came with, from 0.
        public var member: Int?

        private enum CodingKeys: String, CodingKey {
            case path, type, permissions, size, target, member
            case pathHex = "path_hex"
        }
    }

    /// The other parts of a unified kernel image.
    public struct UnifiedKernel: Encodable, Sendable {
        /// The names of its sections.
        public var sections: [String]
        /// The kernel's command line.
        public var commandLine: String?
        /// The kernel's release.
        public var release: String?
    }
}

extension GuestFiles {
    /// Reads the initramfs `file`, or the one in a unified kernel image, as Linux does. Throws `corrupt` for a unified
    /// image that contradicts itself or has none, and `refused` for an image past the limits; what Linux would not unpack
    /// is the description's `failure`.
    public func initramfs(_ file: GuestFile) throws(StorageError) -> InitramfsDescription {
        let whole = try ByteSource(try fileSystem(of: file), file: file.id)
        do throws(StorageError) {
            let unified = try UnifiedKernelImage(whole)
            guard
                let source = try unified.map({ (image) throws(StorageError) in try image.initramfs() })
                    ?? whole
            else {
                throw StorageError(
                    .refused, InitramfsCode.empty, "the unified kernel image has no initramfs")
            }
            let (contents, report) = try InitramfsReport.read(
                InitramfsImage(source), opening: FileSystemRegistry.builtIn.openOldRoot)
            var description = InitramfsDescription(contents, report)
            description.unifiedKernel = try unified.map { (image) throws(StorageError) in
                InitramfsDescription.UnifiedKernel(
                    sections: image.sections.map(\.name), commandLine: try image.commandLine()?.displayText,
                    release: try image.release()?.displayText)
            }
            return description
        } catch {
            throw error.inFile(String(hostBytes: file.path.bytes))
        }
    }
}

extension InitramfsDescription {
    init(_ contents: InitramfsContents, _ report: InitramfsReport) {
        generator = report.generator.name
        if case .dracut(let version) = report.generator { generatorVersion = version }
        isHostOnly = report.isHostOnly
        liveSystem = report.liveSystem?.rawValue
        isUsrMerged = report.isUsrMerged
        hasSystemd = report.hasSystemd
        releases = report.releases
        failure = contents.failure?.description
        fileSystem = contents.fileSystem?.rawValue
        switch try? contents.overlayPlacement() {
        case .behind: placeOfAdditions = "behind"
        case .before: placeOfAdditions = "before"
        case nil: placeOfAdditions = nil
        }
        members = contents.members.map { member in
            Member(
                offset: member.offset, size: member.byteCount, compression: member.codec?.name,
                decodedSize: member.decodedByteCount, entries: member.entries.count, isEarly: member.isEarly)
        }
        modules = report.modules.map { Module(name: $0.name, path: $0.path.displayText, size: $0.size) }
        loadedModules = report.loadedModules.map { ModuleList(path: $0.path.displayText, modules: $0.names) }
        configuration = report.configuration.map { copy in
            Configuration(path: copy.path.displayText, kind: copy.kind.rawValue, size: copy.bytes.count)
        }
        files = contents.files.map { file in
            File(
                path: file.path.displayText,
                pathHex: String(validating: file.path, as: UTF8.self) == nil ? file.path.hexString : nil,
                type: file.type.rawValue, permissions: file.permissions, size: file.size,
                target: file.target?.displayText,
                member: file.entry.flatMap { entry in
                    // Of a member that Linux does not unpack to its end there may be files without it.
                    contents.entries.indices.contains(entry) ? contents.entries[entry].member : nil
                })
        }
    }
}
