import Foundation
import Storage
@_spi(Testing) import TestSupport
import Testing

@testable import XFS

/// The power fails at every write of changes of names, attributes and trees: whole writes, their first sector only, all but
/// it, and random parts of a phase. The tree is the old or the new one, and sound once the log was replayed. A few profiles
/// and cuts; all of them, judged by the kernel where it may mount, with Tests/Scripts/xfs-series.sh.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct CutTests {
    private static let profiles = KernelMount.sweepsAll ? Profile.all : [.rhel10, .smallBlocks]

    private static let files: [String: [UInt8]] = [
        "etc/fstab": TreeModel.contents(300), "etc/empty": [], "boot/grub.cfg": TreeModel.contents(9000),
        "boot/initramfs": TreeModel.contents(70_000),
    ]

    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (XFSTransaction) throws -> Void
    }

    private static let new = NewFileAttributes(
        permissions: 0o600,
        extendedAttributes: [
            ExtendedAttribute(name: Array("security.selinux".utf8), value: Array("a:b:c".utf8))
        ])

    static let changes = [
        Change(testDescription: "names") { transaction in
            let etc = try #require(try transaction.find("etc"))
            let boot = try #require(try transaction.find("boot"))
            _ = try transaction.createFile(
                Array("10-names.link".utf8), in: etc, contents: TreeModel.contents(200), attributes: new)
            let made = try transaction.createDirectory(Array("made".utf8), in: etc, attributes: new)
            _ = try transaction.createSymbolicLink(
                Array("link".utf8), in: made, target: [UInt8](repeating: 0x74, count: 900), attributes: new)
            try transaction.rename(Array("grub.cfg".utf8), in: boot, to: Array("grub.old".utf8), in: made)
            try transaction.remove(Array("initramfs".utf8), in: boot)
            try transaction.setExtendedAttribute(
                Array("user.long".utf8), of: #require(try transaction.find("etc/fstab")),
                to: TreeModel.contents(5000))
        },
        Change(testDescription: "a directory that grows") { transaction in
            let etc = try #require(try transaction.find("etc"))
            for number in 0..<70 {
                _ = try transaction.createFile(
                    Array("a name that takes some room \(number)".utf8), in: etc, contents: [],
                    attributes: new)
            }
        },
        // Longer than a record.
        Change(testDescription: "many records") { transaction in
            let etc = try #require(try transaction.find("etc"))
            for number in 0..<260 {
                _ = try transaction.createSymbolicLink(
                    Array("a name that takes some room \(number)".utf8), in: etc,
                    target: [UInt8](repeating: UInt8(number % 200 + 1), count: 1000), attributes: new)
            }
        },
    ]

    @Test(arguments: profiles, changes) func oldOrNew(_ profile: Profile, _ change: Change) throws {
        let bytes = try XFSImage(profile, files: Self.files).bytes()
        let transaction = try XFSFileSystem.open(MemoryDevice(bytes)).begin()
        try change.make(transaction)
        let prepared = try #require(try transaction.prepare() as? PreparedXFSChange)
        let old = try listing(XFSFileSystem.open(MemoryDevice(bytes)))
        let new = try listing(transaction)
        if change.testDescription == "many records" {
            #expect(prepared.writes.phases.contains { $0.name == "log begun" })
        }
        var outcomes: Set<Bool> = []
        var number = 0
        let every = KernelMount.sweepsAll ? 1 : 25
        func judge(_ image: [UInt8], _ label: String, _ phase: String?) throws {
            let found = try listing(XFSFileSystem.open(MemoryDevice(image)))
            let isNew = found == new
            #expect(isNew || found == old, "\(label) in \(phase ?? "-")")
            if phase == "data" || phase == "log begun" { #expect(!isNew, "\(label)") }
            if phase == "home" || phase == "unmount" { #expect(isNew, "\(label)") }
            outcomes.insert(isNew)
            number += 1
            guard number % every == 0 else { return }
            #expect(
                try XFSImage(WritingTests.recovered(image)).defects() == "", "\(label) in \(phase ?? "-")")
            if KernelMount.isAskedFor, number % 5 == 0 { try mounted(image, "\(label) in \(phase ?? "-")") }
        }
        try PowerCut.replay(prepared.writes, onto: bytes, subsets: KernelMount.sweepsAll ? 8 : 1) { state in
            try judge(state.image, state.label, state.phase)
        }
        try tear(prepared.writes, onto: bytes, judge)
        #expect(outcomes == [false, true])
    }

    /// Each write with its first sector only, and with all but it.
    private func tear(
        _ writes: OrderedWrites, onto initial: [UInt8], _ judge: ([UInt8], String, String?) throws -> Void
    ) throws {
        var image = initial
        var count = 0
        let step = KernelMount.sweepsAll ? 1 : 40
        for phase in writes.phases {
            for write in phase.writes {
                let bytes = try write.bytes()
                let start = Int(write.offset)
                count += 1
                if count % step == 0, bytes.count > 512 {
                    for part in [0..<512, 512..<bytes.count] {
                        var torn = image
                        torn.replaceSubrange(
                            start + part.lowerBound..<start + part.upperBound, with: bytes[part])
                        try judge(torn, "\(part) of write \(count)", phase.name)
                    }
                }
                image.replaceSubrange(start..<start + bytes.count, with: bytes)
            }
        }
    }

    private func listing(_ tree: any FileTree) throws -> [String: String] {
        var result: [String: String] = [:]
        var pending: [(FileID, String)] = [(tree.rootDirectory, "")]
        while let (directory, prefix) = pending.popLast() {
            for entry in try tree.entries(of: directory) {
                let path = prefix + "/" + entry.name.text
                let attributes = try tree.attributes(of: entry.file)
                var words = "\(attributes.mode) \(attributes.linkCount)"
                switch attributes.type {
                case .directory: pending.append((entry.file, path))
                case .regular: words += try " \(tree.contents(of: entry.file).hashValue)"
                case .symbolicLink: words += try tree.symbolicLinkTarget(of: entry.file).text
                default: break
                }
                for attribute in try tree.extendedAttributes(of: entry.file) {
                    words += " \(attribute.name.text)=\(attribute.value.count)"
                }
                result[path] = words
            }
        }
        return result
    }

    private func mounted(_ image: [UInt8], _ comment: String) throws {
        let held = try XFSImage(image)
        let said = try KernelMount.mount(held.path, at: held.directory.path("mnt")) {}
        guard let said else { return }
        #expect(said == "", "\(comment)")
        #expect(try held.defects() == "", "\(comment), after the kernel")
    }
}
