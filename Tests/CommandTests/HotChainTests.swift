import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// A change of one image of a chain was cut off: no reader takes any image above it for whole, whatever the formats.
@Suite(.enabled(if: Tool.has("mke2fs", "qemu-img"), "judges are missing"))
struct HotChainTests {
    enum Chain: String, CaseIterable {
        /// The format of the child, and of its parent.
        case qcow2OnRaw, qcow2OnQCOW2, vhd, vhdx, vdi
        /// The parent of the parent is the one.
        case qcow2OnQCOW2OnRaw

        var parent: String {
            switch self {
            case .qcow2OnRaw, .qcow2OnQCOW2OnRaw: "raw"
            case .qcow2OnQCOW2: "qcow2"
            default: rawValue
            }
        }
        var child: String { parent == "raw" ? "qcow2" : parent }
    }

    /// A volume with a file, changed; children of it, the last of which is returned, with what names the others.
    private static func chain(
        _ chain: Chain, in directory: TemporaryDirectory
    ) throws -> (base: String, child: String, parents: [String]) {
        let raw = try directory.sparse("disk.raw", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [raw])
        let base = directory.path("base.\(chain.parent)")
        try Fixture.diskgraft("convert", "-O", chain.parent, raw, base)
        try FileManager.default.removeItem(atPath: raw)
        let file = try directory.write("file", "new\n")
        try Fixture.diskgraft("put", "--volume", "disk", base, file, "/file")
        var parents = [base]
        if chain == .qcow2OnQCOW2OnRaw {
            let middle = directory.path("middle.qcow2")
            try Fixture.diskgraft("create", "-f", "qcow2", "-b", base, middle)
            parents.append(middle)
        }
        let child = directory.path("child.\(chain.child)")
        try Fixture.diskgraft("create", "-f", chain.child, "-b", parents[parents.count - 1], child)
        return (base, child, parents)
    }

    /// Every command that reads what an image shows, without its flags for parents.
    private static func readers(_ image: String, _ out: String, _ other: String) -> [[String]] {
        [
            ["info", image], ["info", "--json", image], ["info", "--output=json", image], ["map", image],
            ["check", image], ["check", "--output=json", image], ["compare", image, other],
            ["compare", other, image], ["convert", image, out], ["measure", image],
            ["ls", "--volume", "disk", image, "/"], ["cat", "--volume", "disk", image, "/file"],
            ["find", "--volume", "disk", image], ["stat", "--volume", "disk", image, "/file"],
            ["tar", "--volume", "disk", image, "/"], ["get", "--volume", "disk", image, "/file", out],
            ["inspect", image], ["convert", "--salvage", image, out],
        ]
    }

    @Test(arguments: Chain.allCases)
    func noReaderPassesItOver(_ shape: Chain) throws {
        let directory = try TemporaryDirectory()
        let (base, child, parents) = try Self.chain(shape, in: directory)
        let other = try directory.sparse("other.raw", byteCount: 4 << 20)
        let out = directory.path("out")
        let named = parents.flatMap { ["--parent", $0] }
        // As long as it is whole, all of them read it.
        let listed = try Tool.run(
            Fixture.command, ["cat", "--volume", "disk", child, "/file", "--allow-siblings"])
        #expect(listed.text == "new\n")
        try UndoRecord.setState(.hot, ofRecord: base + ".undo")
        var ways = [(child, named), (child, ["--allow-siblings"]), (base, [])]
        if parents.count > 1 { ways.append((parents[1], ["--parent", base])) }
        for (image, flags) in ways {
            for command in Self.readers(image, out, other) {
                let refusal = try Tool.run(Fixture.command, command + flags, expect: nil)
                // As with qemu-img 2 is damage there.
                #expect(
                    refusal.status == (command[0] == "check" ? 1 : 2),
                    "\(command + flags): \(refusal.text)\(refusal.errorText)")
                #expect(
                    refusal.errorText.contains("cut off") && refusal.errorText.contains("base."),
                    "\(command + flags): \(refusal.errorText)")
                // With --json the refusal itself, and nothing of the image.
                #expect(
                    refusal.output.isEmpty || refusal.text.hasPrefix("{\n  \"error\" : {"),
                    "\(command + flags): \(refusal.text)")
                #expect(!FileManager.default.fileExists(atPath: out), "\(command + flags)")
            }
        }
        // Nothing of the parent is shown where it is not opened.
        let alone = try Fixture.diskgraft("info", child)
        #expect(alone.text.contains(shape.child) && !alone.text.contains("volumes:"))
        try Fixture.diskgraft("undo", base)
        // The change is gone, and the chain is read again.
        for flags in [named, ["--allow-siblings"]] {
            let info = try Tool.run(Fixture.command, ["info", child] + flags, expect: nil)
            #expect(info.status == 0 || info.errorText.contains("replaced"), "\(info.errorText)")
        }
    }

    /// Nor an extent of a disk in several files, or a damaged record.
    @Test func norAPieceOfADisk() throws {
        let directory = try TemporaryDirectory()
        let disk = directory.path("disk.vmdk")
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", disk, "4M"])
        let piece = directory.path("disk-flat.vmdk")
        do {
            let file = try RecordedFile.open(piece)
            let transaction = try HostTransaction([file])
            try file.write([1, 2, 3], at: 5000)
            try transaction.commit()
        }
        try Fixture.diskgraft("info", disk)
        try UndoRecord.setState(.hot, ofRecord: piece + ".undo")
        for command in ["info", "map", "check", "measure"] {
            let refusal = try Fixture.diskgraft(command, disk, expect: 1...2)
            #expect(refusal.errorText.contains("cut off") && refusal.errorText.contains("flat"))
        }
        try directory.write("disk-flat.vmdk.undo", [UInt8](repeating: 0, count: 1024))
        for command in ["info", "map", "measure"] {
            let refusal = try Fixture.diskgraft(command, disk, expect: 1...1)
            #expect(refusal.errorText.contains("damaged"), "\(refusal.errorText)")
        }
    }
}
