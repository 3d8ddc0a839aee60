import DiskGraft
import Storage
import TestSupport
import Testing

/// Guests on a file system that can do little: plans advise, edits refuse by name, and nothing is written before.
@Suite struct ReducedFileSystemTests {
    private static let registry = FileSystemRegistry([SmallDriver.self])

    private static let files: [String: [UInt8]] = [
        "etc/fstab": Array("/dev/hda1 / smallfs defaults 1 1\n".utf8),
        "etc/redhat-release": Array("CentOS release 5.11 (Final)\n".utf8),
        "etc/rc.d/rc3.d/S03vmware-tools": Array("#!/bin/sh\n".utf8),
        "boot/vmlinuz-2.6.18-398.el5": Array("kernel".utf8),
        "boot/initrd-2.6.18-398.el5.img": Array("-rom1fs-".utf8),
        "boot/grub/grub.conf": Array(
            """
            default=0
            title CentOS
            \troot (hd0,0)
            \tkernel /boot/vmlinuz-2.6.18-398.el5 ro root=/dev/hda1
            \tinitrd /boot/initrd-2.6.18-398.el5.img

            """.utf8),
    ]

    /// A disk with one partition that holds the volume.
    private static func disk(isWritable: Bool) throws -> (directory: TemporaryDirectory, path: String) {
        let disk = try SmallDisk(files, isWritable: isWritable)
        return (disk.directory, disk.path)
    }

    private static func open(_ path: String, forWriting: Bool = false) throws -> Guest {
        try Guest.open([path], forWriting: forWriting, registry: registry)
    }

    private static let options = PlanOptions(target: .kvm, fix: [.tools])

    @Test func aPlanAdvisesWhatCannotBeDone() throws {
        let (directory, path) = try Self.disk(isWritable: true)
        do {
            let guest = try Self.open(path, forWriting: true)
            #expect(guest.volumes.map(\.identity.kind.rawValue) == ["smallfs"])
            let plan = try guest.plan(Self.options)
            #expect(plan.refusal == nil && !plan.isEmpty)
            #expect(
                plan.diff.contains(
                    "on p1 (smallfs) names can be read here and not changed; rename /etc/rc.d/rc3.d/S03vmware-tools to"
                ),
                "\(plan.diff)")
            try guest.patch(plan, Self.options)
        }
        let again = try Self.open(path)
        #expect(try again.plan(Self.options).isEmpty)
        let fstab = try again.fileSystem(on: 0)
        let etc = try #require(try fstab.lookUp(Array("etc".utf8), in: fstab.rootDirectory))
        let file = try #require(try fstab.lookUp(Array("fstab".utf8), in: etc))
        let text = String(decoding: try fstab.contents(of: file), as: UTF8.self)
        #expect(!text.contains("hda1") && text.contains(" / smallfs"))
        _ = directory
    }

    @Test func aPlanForWhatCanOnlyBeReadIsRefused() throws {
        let (directory, path) = try Self.disk(isWritable: false)
        let before = try fileBytes(path)
        let guest = try Self.open(path, forWriting: true)
        let plan = try guest.plan(Self.options)
        let refusal = try #require(plan.refusal)
        #expect(refusal.contains("files on p1 (smallfs) can be read here and not changed"))
        #expect(plan.diff.contains("\"/dev/hda1\" to"))
        #expect(throws: StorageError.self) { try guest.patch(plan, Self.options) }
        let error = try #require(throws: StorageError.self) {
            try guest.edit { (edit) throws(StorageError) in
                try edit.put(FileContents([1]), at: "/etc/fstab")
            }
        }
        #expect(error.message == "files on p1 (smallfs) can be read here, and not changed")
        #expect(try fileBytes(path) == before)
        _ = directory
    }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static let edits: [(String, @Sendable (GuestEdit) throws(StorageError) -> Void)] = [
        (
            "nothing can be made, moved or removed",
            { (e) throws(StorageError) in try e.remove("/etc/fstab") }
        ),
        ("nothing can be made", { (e) throws(StorageError) in try e.makeDirectory("/new") }),
        (
            "nothing can be made",
            { (e) throws(StorageError) in try e.put(FileContents([1]), at: "/new") }
        ),
        (
            "nothing can be made",
            { (e) throws(StorageError) in try e.move("/etc/fstab", to: "/x") }
        ),
        ("no links", { (e) throws(StorageError) in try e.link("/etc/fstab", as: "/x") }),
        ("no links", { (e) throws(StorageError) in try e.symbolicLink(to: text("a"), at: "/x") }),
        (
            "no devices, pipes and sockets",
            { (e) throws(StorageError) in try e.makeNode("/x", type: .fifo, device: nil) }
        ),
        (
            "keeps no modes",
            { (e) throws(StorageError) in try e.setPermissions("/etc/fstab") { _ in 0o600 } }
        ),
        (
            "keeps no owners",
            { (e) throws(StorageError) in try e.setOwner("/etc/fstab", owner: 5, group: nil) }
        ),
        (
            "keeps no such times",
            { (e) throws(StorageError) in
                try e.setTimes("/etc/fstab", access: nil, modification: Timestamp(seconds: 5))
            }
        ),
        (
            "keeps no modes",
            { (e) throws(StorageError) in
                try e.put(FileContents([1]), at: "/etc/fstab", NewFileOptions(permissions: 0o600))
            }
        ),
        (
            "extended attributes",
            { (e) throws(StorageError) in
                try e.setExtendedAttribute(text("user.a"), of: "/etc/fstab", to: [1])
            }
        ),
        ("parts of files", { (e) throws(StorageError) in try e.truncate("/etc/fstab", to: 3) }),
        ("no holes", { (e) throws(StorageError) in try e.punchHole("/etc/fstab", 0..<3) }),
        ("label", { (e) throws(StorageError) in try e.setLabel(text("name")) }),
    ]

    @Test(arguments: edits.indices)
    func anEditIsRefusedByName(_ index: Int) throws {
        let (name, edit) = Self.edits[index]
        let (directory, path) = try Self.disk(isWritable: true)
        let before = try fileBytes(path)
        let guest = try Self.open(path, forWriting: true)
        let error = try #require(throws: StorageError.self) {
            try guest.edit { (e) throws(StorageError) in try edit(e) }
        }
        #expect(error.code == "change-not-supported" && error.kind == .unsupported)
        #expect(error.message.contains(name) && error.message.contains("p1 (smallfs)"), "\(error)")
        #expect(error.path == path)
        #expect(try fileBytes(path) == before)
        _ = directory
    }

    /// Where case does not matter, any case finds the file; and contents that come in pieces elsewhere go in one.
    @Test func contentsAreReplaced() throws {
        let (directory, path) = try Self.disk(isWritable: true)
        try Self.open(path, forWriting: true).edit { (edit) throws(StorageError) in
            try edit.put(FileContents(Self.text("one\n")), at: "/ETC/Redhat-Release")
        }
        let guest = try Self.open(path)
        let files = try guest.files()
        let file = try files.find("/etc/redhat-release")
        #expect(try guest.fileSystem(on: 0).contents(of: file.id) == Self.text("one\n"))
        #expect(file.attributes.kept == [])
        _ = directory
    }

    @Test func theSmallFileSystemHoldsTheSuite() throws {
        let suite = FileSystemConformance(
            FileSystemSubject(
                name: "smallfs", driver: SmallDriver.self, unit: 512, isAtomic: true,
                make: { SmallDriver.volume($0) },
                defects: { bytes in
                    var found: [String] = []
                    try SmallDriver.check(MemoryDevice(bytes)) { found.append($0.message) }
                    return found.joined(separator: "; ")
                }, repaired: { $0 }))
        try suite.recognition()
        try suite.reading()
        try suite.capabilities()
        try suite.series(seed: 1)
        try suite.refusals()
        try suite.powerCuts()
    }
}
