import Codecs
import KernelModules
import Storage
import TestSupport
import Testing

/// A tree read through its store, with indexes of every kind and without.
@Suite struct ModuleTreeTests {
    private static func names(_ targets: [ModuleTarget]) -> [String] { targets.map(\.name) }

    private static func order(_ tree: ModuleTree, _ name: String) throws -> [String] {
        try names(tree.loadOrder(of: #require(try tree.module(name))))
    }

    /// depmod's indexes, the binary ones alone, and none at all tell the same.
    @Test func indexesOfEveryKindTellTheSame() throws {
        let whole = try MadeTree.usual().indexed()
        var binary = whole
        for name in ["dep", "alias", "symbols", "builtin", "devname"] {
            binary.files["\(whole.directory)/modules.\(name)"] = nil
        }
        let bare = MadeTree.usual()
        for made in [whole, binary, bare] {
            let tree = try made.tree()
            #expect(
                try Self.order(tree, "virtio-scsi") == ["virtio", "virtio_ring", "scsi_mod", "virtio_scsi"]
                    || Self.order(tree, "virtio-scsi") == [
                        "scsi_mod", "virtio", "virtio_ring", "virtio_scsi",
                    ])
            #expect(try Self.order(tree, "ext4") == ["jbd2", "crc32c_generic", "ext4"])
            #expect(try Self.names(tree.drivers(for: "virtio:d00000002v00001AF4")) == ["virtio_blk"])
            #expect(try Self.names(tree.lookUp("fs-ext3")) == ["ext4"])
            #expect(try Self.names(tree.lookUp("sd-mod")) == ["sd_mod"])
            #expect(try tree.lookUp("libcrc32c") == [.builtin("libcrc32c")])
            #expect(try tree.lookUp("nothing").isEmpty)
            #expect(try tree.isBuiltin("ata-piix") == true)
            #expect(try tree.isBuiltin("sd_mod") == false)
        }
    }

    @Test func bytesAreGivenDecoded() throws {
        let object = MadeObject.plain("a", release: MadeTree.release).bytes
        let encoded = try Codec.named(CodecID("zstd")).encode(object.span8)
        var made = MadeTree()
        made.files["\(made.directory)/kernel/a.ko.zst"] = encoded
        let tree = try made.tree()
        let module = try #require(try tree.module("a"))
        #expect(try tree.decodedBytes(of: module) == object)
        #expect(throws: StorageError.self) {
            try tree.decodedBytes(of: KernelModule(name: "b", path: "b.ko"))
        }
    }

    @Test func bothPlacesOfModulesAreFound() throws {
        var made = MadeTree.usual()
        made.files = Dictionary(uniqueKeysWithValues: made.files.map { ("/usr" + $0.key, $0.value) })
        let tree = try made.tree()
        #expect(tree.directory == "/usr/lib/modules/\(MadeTree.release)")
        #expect(try tree.module("ext4") != nil)
        #expect(try ModuleTree(release: "1", in: MemoryStore([:])).directory == nil)
    }

    @Test func aReleaseThatIsNoNameIsRefused() {
        for release in ["", ".", "..", "a/b", "a\0"] {
            #expect(throws: StorageError.self) { try ModuleTree(release: release, in: MemoryStore([:])) }
        }
    }

    /// An index whose paths lead nowhere gives way to the files.
    @Test func staleIndexesGiveWayToTheFiles() throws {
        var made = try MadeTree.usual().indexed()
        let old = "\(made.directory)/kernel/drivers/block/virtio_blk.ko"
        made.files["\(made.directory)/updates/virtio_blk.ko"] = made.files[old]
        made.files[old] = nil
        let tree = try made.tree()
        #expect(try tree.module("virtio_blk")?.path == "updates/virtio_blk.ko")
        #expect(try Self.order(tree, "virtio_blk") == ["virtio", "virtio_ring", "virtio_blk"])
    }

    /// Of two files the one below updates counts, and links to sources are not entered.
    @Test func updatesComeFirst() throws {
        var made = MadeTree.usual()
        made.add("updates/ext4.ko", .plain("ext4", release: MadeTree.release))
        made.add("build/fs/only_here.ko", .plain("only_here", release: MadeTree.release))
        let tree = try made.tree()
        #expect(try tree.module("ext4")?.path == "updates/ext4.ko")
        #expect(try tree.module("only_here") == nil)
    }

    @Test func circlesAndAbsentDependenciesAreErrors() throws {
        var made = MadeTree()
        made.add("a.ko", .plain("a", release: MadeTree.release, depends: ["b"]))
        made.add("b.ko", .plain("b", release: MadeTree.release, depends: ["a"]))
        made.add("c.ko", .plain("c", release: MadeTree.release, depends: ["gone"]))
        made.add("d.ko", .plain("d", release: MadeTree.release, soft: ["pre: e"]))
        made.add("e.ko", .plain("e", release: MadeTree.release, soft: ["pre: d c"]))
        made.add("modules.builtin", text: "")
        let tree = try made.tree()
        func code(_ name: String) throws -> ErrorCode? {
            do {
                _ = try tree.closure(of: #require(try tree.module(name)))
                return nil
            } catch let error as StorageError {
                return error.id
            }
        }
        #expect(try code("a") == ErrorCode(KernelModulesCode.badDependencies))
        #expect(try code("c") == ErrorCode(KernelModulesCode.noFile))
        // What is only asked for may ask back, and may not be loadable.
        #expect(try Self.order(tree, "d") == ["e", "d"])
    }

    /// A chain longer than any kernel's ends.
    @Test func endlessChainsAreErrors() throws {
        var made = MadeTree()
        for number in 0..<300 {
            made.add(
                "m\(number).ko", .plain("m\(number)", release: MadeTree.release, depends: ["m\(number + 1)"]))
            made.add(
                "s\(number).ko",
                .plain("s\(number)", release: MadeTree.release, soft: ["pre: s\(number + 1)"]))
        }
        let tree = try made.tree()
        for name in ["m0", "s0"] {
            let module = try #require(try tree.module(name))
            #expect(throws: StorageError.self) { try tree.loadOrder(of: module) }
        }
    }

    @Test func filesOfAbsurdSizeAreRefused() throws {
        final class Huge: ModuleStore {
            func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]? { [] }
            func byteCount(of path: String) throws(StorageError) -> UInt64? { 1 << 60 }
            func read(_ path: String, into target: inout MutableRawSpan, at offset: UInt64)
                throws(StorageError) -> Int
            {
                target.byteCount
            }
        }
        let tree = try ModuleTree(release: "1", in: Huge())
        do {
            _ = try tree.dependencyIndex()
            Issue.record("it was read")
        } catch {
            #expect(error.isCode(KernelModulesCode.fileTooLong))
        }
    }

    @Test func filesThatEndEarlyAreErrors() throws {
        final class Short: ModuleStore {
            func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]? { [] }
            func byteCount(of path: String) throws(StorageError) -> UInt64? { 4096 }
            func read(_ path: String, into target: inout MutableRawSpan, at offset: UInt64)
                throws(StorageError) -> Int
            {
                offset < 100 ? 1 : 0
            }
        }
        let tree = try ModuleTree(release: "1", in: Short())
        do {
            _ = try tree.dependencyIndex()
            Issue.record("it was read")
        } catch {
            #expect(error.isCode(KernelModulesCode.fileCutShort))
        }
    }

    /// A directory that holds itself.
    @Test func endlessDirectoriesAreErrors() throws {
        final class Endless: ModuleStore {
            func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]? {
                [ModuleStoreEntry(name: "again", isDirectory: true)]
            }
            func byteCount(of path: String) throws(StorageError) -> UInt64? { nil }
            func read(_ path: String, into target: inout MutableRawSpan, at offset: UInt64)
                throws(StorageError) -> Int
            { 0 }
        }
        let tree = try ModuleTree(release: "1", in: Endless())
        do {
            _ = try tree.module("a")
            Issue.record("it ended")
        } catch {
            #expect(error.isCode(KernelModulesCode.treeTooLarge))
        }
    }
}
