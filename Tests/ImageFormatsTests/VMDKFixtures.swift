import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Helpers of the VMDK tests.
enum VMDKFixtures {
    /// A raw disk with data at seeded places, and its bytes.
    static func rawDisk(
        _ directory: TemporaryDirectory, byteCount: Int, seed: UInt64, runs: Int = 24,
        name: String = "disk.raw"
    ) throws -> (path: String, bytes: [UInt8]) {
        var random = SeededRandom(seed)
        var bytes = [UInt8](repeating: 0, count: byteCount)
        for _ in 0..<runs {
            let count = min(Int.random(in: 1...200_000, using: &random), byteCount)
            let start = Int.random(in: 0...byteCount - count, using: &random)
            // Half of it compressible.
            let data =
                Bool.random(using: &random)
                ? random.bytes(count)
                : [UInt8](repeating: UInt8.random(in: 1...255, using: &random), count: count)
            bytes.replaceSubrange(start..<start + count, with: data)
        }
        return (try directory.write(name, bytes), bytes)
    }

    /// A VMDK made by qemu-img from a raw disk.
    static func convert(
        _ raw: String, in directory: TemporaryDirectory, subformat: String, name: String = "disk.vmdk",
        options: String = ""
    ) throws -> String {
        let path = directory.path(name)
        try Tool.run(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)\(options)", raw, path])
        return path
    }

    /// All of a disk, read in pieces of odd sizes.
    static func contents(_ disk: Image, step: Int = 1_000_003) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(disk.byteCount))
        while bytes.count < Int(disk.byteCount) {
            bytes += try disk.bytes(
                at: UInt64(bytes.count), count: min(step, Int(disk.byteCount) - bytes.count))
        }
        return bytes
    }

    /// The guest bytes as qemu-img reads them.
    static func qemuContents(_ path: String, _ directory: TemporaryDirectory) throws -> [UInt8] {
        let raw = directory.path("qemu-\(UUID().uuidString).raw")
        try Tool.run("qemu-img", ["convert", "-f", "vmdk", "-O", "raw", path, raw])
        defer { try? FileManager.default.removeItem(atPath: raw) }
        return try fileBytes(raw)
    }

    /// An empty sparse disk whose directories have no entry for some tables.
    static func withoutTables(
        _ directory: TemporaryDirectory, byteCount: Int, tables: [Int]
    ) throws -> String {
        let path = directory.path("sparse.vmdk")
        try Tool.run("qemu-img", ["create", "-f", "vmdk", path, "\(byteCount)"])
        let bytes = try fileBytes(path)
        for field in [48, 56] {
            let place = Int(bytes.little(field, as: UInt64.self)) * 512
            for table in tables { try patch(path, at: place + table * 4, [0, 0, 0, 0]) }
        }
        return path
    }

    /// Whether `count` bytes of two arrays are equal.
    static func isSame(_ one: [UInt8], _ start: Int, _ other: [UInt8], _ otherStart: Int, count: Int) -> Bool
    {
        precondition(start + count <= one.count && otherStart + count <= other.count)
        return unsafe one.withUnsafeBytes { one in
            unsafe other.withUnsafeBytes { other in
                guard let left = one.baseAddress, let right = other.baseAddress else { return true }
                return unsafe memcmp(left + start, right + otherStart, count) == 0
            }
        }
    }

    static func sha256(_ bytes: [UInt8]) throws -> String {
        let directory = try TemporaryDirectory()
        let path = try directory.write("guest", bytes)
        return String(try Tool.run("sha256sum", [path]).text.prefix(64))
    }

    /// Changes bytes of a file in place.
    static func patch(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
        var all = try fileBytes(path)
        all.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        try Data(all).write(to: URL(fileURLWithPath: path))
    }

    static func little<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }

    /// Opens without locks: another test's child process holds every lock of this one between fork and exec.
    static func open(
        _ path: String, _ access: FileAccess = .read, format: ImageFormat? = nil,
        references: ReferencePolicy = .refuse
    ) throws(StorageError) -> OpenedImage {
        try ImageProbe.open(
            path, format: format,
            options: ImageOpenOptions(access: access, locking: .ignore, references: references))
    }

    /// What lies beside an image may be opened.
    static let siblings = ReferencePolicy(allowsSiblings: true)

    /// The code that opening ends with; nil when it works.
    static func openCode(
        _ path: String, access: FileAccess = .read, format: ImageFormat? = .vmdk,
        references: ReferencePolicy = .refuse
    ) -> String? {
        do {
            _ = try open(path, access, format: format, references: references)
            return nil
        } catch {
            return error.code
        }
    }

    /// What the driver's own check says, notes left out.
    static func findings(_ path: String) throws -> [Finding] {
        var findings: [Finding] = []
        try ImageProbe.check(path, format: .vmdk, locking: .ignore) {
            if $0.severity != .note { findings.append($0) }
        }
        return findings
    }

    /// The codes of what the check finds, or of what keeps it from looking.
    static func checkCodes(_ path: String) -> [String] {
        do {
            return try findings(path).map(\.code)
        } catch {
            return [(error as? StorageError)?.code ?? "\(error)"]
        }
    }

    /// The descriptor's CID.
    static func contentID(_ path: String) throws -> String? {
        try ImageProbe.describe(path, locking: .ignore).details.first { $0.name == "CID" }?.value
    }
}
