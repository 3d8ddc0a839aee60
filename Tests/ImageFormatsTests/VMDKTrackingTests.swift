import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Changed block tracking: a change from outside is refused, or ends it.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct VMDKTrackingTests {
    private func open(_ path: String, drops: Bool) throws(StorageError) -> OpenedImage {
        var options = ImageOpenOptions(access: .write, locking: .ignore)
        options.dropsChangeTracking = drops
        return try ImageProbe.open(path, options: options)
    }

    private func text(_ path: String) throws -> String {
        let bytes = try fileBytes(path)
        return String(
            decoding: bytes.starts(with: Array("KDMV".utf8))
                ? Array(bytes[512..<5000].prefix { $0 != 0 }) : bytes,
            as: UTF8.self)
    }

    @Test func theKeyGoesWithTheFirstChange() throws {
        let directory = try TemporaryDirectory()
        try directory.write("f-flat.vmdk", [UInt8](repeating: 1, count: 4096))
        for more in [
            "changeTrackPath=\"f-ctk.vmdk\"", "  ChangeTrackPath = \"f-ctk.vmdk\" \r", "changeTrackPath=x",
        ] {
            let whole = VMDKFixtures.descriptor(
                "vmfs", "RW 8 VMFS \"f-flat.vmdk\"", more: "# Change Tracking File\n\(more)")
            let path = try directory.write("f.vmdk", whole)
            let refused = #expect(throws: StorageError.self) { try open(path, drops: false) }
            #expect(refused?.code == "change-tracking")
            #expect(refused?.remedies == [.dropChangeTracking, .convert(options: [])])
            let image = try open(path, drops: true)
            #expect(image.info.warnings.count == 1)
            // Nothing happens before the first change.
            try image.disk.flush()
            #expect(try text(path) == whole)
            try image.disk.write([2], at: 0)
            try image.disk.flush()
            let now = try text(path)
            #expect(now.utf8.count == whole.utf8.count && !now.lowercased().contains("changetrackpath"))
            #expect(now.contains("# Change Tracking File\n") && !now.contains("00c0ffee"))
            let info = try ImageProbe.describe(path, locking: .ignore)
            #expect(!info.references.contains { $0.role == "change tracking" })
            let again = try open(path, drops: false)
            #expect(again.info.warnings == [])
            #expect(try again.disk.bytes(at: 0, count: 2) == [2, 1])
        }
    }

    @Test func theHeadersVersionGoesBack() throws {
        let directory = try TemporaryDirectory()
        for (options, flag) in [("", 1), (",zeroed_grain=on", 2)] {
            let path = directory.path("s.vmdk")
            try Tool.run(
                "qemu-img",
                ["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicSparse\(options)", path, "1M"])
            try VMDKFixtures.patch(path, at: 4, [3])
            #expect(throws: StorageError.self) { try open(path, drops: false) }
            let image = try open(path, drops: true)
            try image.disk.write([2], at: 0)
            try image.disk.flush()
            #expect(try fileBytes(path)[4] == UInt8(flag))
            _ = try open(path, drops: false)
            try Tool.run("qemu-io", ["-f", "vmdk", "-c", "read -P 2 0 1", "-c", "write 512 1", path])
            try FileManager.default.removeItem(atPath: path)
        }
    }
}
