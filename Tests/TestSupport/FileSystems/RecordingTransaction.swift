public import Storage

/// Passes operations on to a transaction and writes down those that succeed, so that a kernel can be made to do the
/// same on a twin of the volume.
public final class RecordingTransaction: EveryChange {
    private let base: any EveryChange
    private var paths: [FileID: String]
    public private(set) var operations: [[String]] = []

    public init(_ base: any EveryChange, root: FileID) {
        self.base = base
        paths = [root: "."]
    }

    private func path(_ file: FileID) -> String { paths[file] ?? "?" }
    private func path(_ name: [UInt8], _ directory: FileID) -> String {
        path(directory) + "/" + String(decoding: name, as: UTF8.self)
    }

    /// What a program does with the operations, on the tree at its first argument.
    public static let replay = """
        import ctypes, json, os, sys
        libc = ctypes.CDLL(None, use_errno=True)
        os.chdir(sys.argv[1]); os.umask(0)
        def attributes(path, mode, owner, group, pairs):
            if not os.path.islink(path): os.chmod(path, int(mode))
            os.chown(path, int(owner), int(group), follow_symlinks=False)
            for i in range(0, len(pairs), 2):
                os.setxattr(path, pairs[i], bytes.fromhex(pairs[i + 1]), follow_symlinks=False)
        for op, path, *rest in json.load(open(sys.argv[2])):
            if op == 'replace': open(path, 'wb').write(bytes.fromhex(rest[0]))
            elif op == 'file': open(path, 'xb').write(bytes.fromhex(rest[0])); attributes(path, *rest[1:4], rest[4:])
            elif op == 'directory': os.mkdir(path); attributes(path, *rest[:3], rest[3:])
            elif op == 'symlink': os.symlink(bytes.fromhex(rest[0]), path); attributes(path, *rest[1:4], rest[4:])
            elif op == 'node':
                os.mknod(path, int(rest[0]), os.makedev(int(rest[1]), int(rest[2]))); attributes(path, *rest[3:6], rest[6:])
            elif op == 'link': os.link(path, rest[0], follow_symlinks=False)
            elif op == 'remove': (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)
            elif op == 'rename': os.rename(path, rest[0])
            elif op == 'truncate': os.truncate(path, int(rest[0]))
            elif op == 'write':
                f = os.open(path, os.O_WRONLY); os.pwrite(f, bytes.fromhex(rest[1]), int(rest[0])); os.close(f)
            elif op == 'punch':
                f = os.open(path, os.O_WRONLY)
                a, b = ctypes.c_long(int(rest[0])), ctypes.c_long(int(rest[1]))
                if libc.fallocate(f, 3, a, b) and ctypes.get_errno() == 95:
                    # No holes on this driver: zeros say the same.
                    size = os.fstat(f).st_size; end = min(size, a.value + b.value)
                    if end > a.value: os.pwrite(f, bytes(end - a.value), a.value)
                os.close(f)
            elif op == 'chmod': os.chmod(path, int(rest[0]))
            elif op == 'setxattr': os.setxattr(path, rest[0], bytes.fromhex(rest[1]), follow_symlinks=False)
            elif op == 'removexattr': os.removexattr(path, rest[0], follow_symlinks=False)
            else: sys.exit('unknown operation ' + op)
        """

    private func words(_ attributes: NewFileAttributes) -> [String] {
        [String(attributes.permissions), String(attributes.owner), String(attributes.group)]
            + attributes.extendedAttributes.flatMap { [$0.name.displayText, $0.value.hexString] }
    }

    public func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError) {
        try base.replaceContents(of: file, with: contents)
        operations.append(["replace", path(file), contents.hexString])
    }

    public func createFile(
        _ name: [UInt8], in directory: FileID, contents: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let id = try base.createFile(name, in: directory, contents: contents, attributes: attributes)
        operations.append(["file", path(name, directory), contents.hexString] + words(attributes))
        return id
    }

    public func createDirectory(
        _ name: [UInt8], in directory: FileID, attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let id = try base.createDirectory(name, in: directory, attributes: attributes)
        operations.append(["directory", path(name, directory)] + words(attributes))
        return id
    }

    public func createSymbolicLink(
        _ name: [UInt8], in directory: FileID, target: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let id = try base.createSymbolicLink(name, in: directory, target: target, attributes: attributes)
        operations.append(["symlink", path(name, directory), target.hexString] + words(attributes))
        return id
    }

    public func createNode(
        _ name: [UInt8], in directory: FileID, type: FileType, device: FileAttributes.DeviceNumber?,
        attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let id = try base.createNode(name, in: directory, type: type, device: device, attributes: attributes)
        let numbers = [String(type.modeBits), String(device?.major ?? 0), String(device?.minor ?? 0)]
        operations.append(["node", path(name, directory)] + numbers + words(attributes))
        return id
    }

    public func link(_ file: FileID, as name: [UInt8], in directory: FileID) throws(StorageError) {
        try base.link(file, as: name, in: directory)
        operations.append(["link", path(file), path(name, directory)])
    }

    public func remove(_ name: [UInt8], in directory: FileID) throws(StorageError) {
        try base.remove(name, in: directory)
        operations.append(["remove", path(name, directory)])
    }

    public func rename(
        _ name: [UInt8], in directory: FileID, to newName: [UInt8], in newDirectory: FileID
    ) throws(StorageError) -> FileID {
        let id = try base.rename(name, in: directory, to: newName, in: newDirectory)
        operations.append(["rename", path(name, directory), path(newName, newDirectory)])
        return id
    }

    public func truncate(_ file: FileID, to size: UInt64) throws(StorageError) {
        try base.truncate(file, to: size)
        operations.append(["truncate", path(file), String(size)])
    }

    public func write(_ bytes: [UInt8], to file: FileID, at offset: UInt64) throws(StorageError) {
        try base.write(bytes, to: file, at: offset)
        operations.append(["write", path(file), String(offset), bytes.hexString])
    }

    public func punchHole(in file: FileID, _ range: Range<UInt64>) throws(StorageError) {
        try base.punchHole(in: file, range)
        operations.append(["punch", path(file), String(range.lowerBound), String(range.count)])
    }

    public func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError) {
        try base.setAttributes(of: file, change)
        if let permissions = change.permissions {
            operations.append(["chmod", path(file), String(permissions)])
        }
    }

    public func setExtendedAttribute(_ name: [UInt8], of file: FileID, to value: [UInt8]?)
        throws(StorageError)
    {
        try base.setExtendedAttribute(name, of: file, to: value)
        let words = [path(file), name.displayText]
        operations.append(
            value.map { ["setxattr"] + words + [$0.hexString] } ?? ["removexattr"] + words)
    }

    public func setLabel(_ label: [UInt8]) throws(StorageError) { try base.setLabel(label) }

    public var kind: VolumeIdentity.Kind { base.kind }
    public var rootDirectory: FileID { base.rootDirectory }

    public func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int { try base.read(file, into: &target, at: offset) }

    public func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        guard let id = try base.lookUp(name, in: directory) else { return nil }
        paths[id] = path(name, directory)
        return id
    }

    public func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        try base.attributes(of: file)
    }
    public func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) { try base.forEachEntry(of: directory, body) }
    public func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8] {
        try base.symbolicLinkTarget(of: file)
    }
    public func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] {
        try base.extendedAttributes(of: file)
    }
    public var shouldBeCommitted: Bool { base.shouldBeCommitted }
    public func prepare() throws(StorageError) -> any PreparedChange { try base.prepare() }
}
