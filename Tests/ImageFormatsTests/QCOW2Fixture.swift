import Foundation
import ImageFormats
import Storage
import TestSupport

/// How many times the usual number of random cases is tried, and from which seeds; see Tests/Scripts/qcow2-stress.sh.
enum QCOW2Effort {
    static let factor = number("DISKGRAFT_QCOW2_EFFORT") ?? 1
    static let seed = UInt64(number("DISKGRAFT_QCOW2_SEED") ?? 0)

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init).map { max($0, 1) }
    }
}

/// A qcow2 image that qemu made, and what qemu says of it afterwards.
struct QCOW2Fixture {
    let directory: TemporaryDirectory
    let path: String

    /// Creates an image by `qemu-img create -o` and fills it by qemu-io's commands.
    init(_ size: String, options: [String] = [], commands: [String] = []) throws {
        directory = try TemporaryDirectory()
        path = directory.path("disk.qcow2")
        var arguments = ["create", "-q", "-f", "qcow2"]
        if !options.isEmpty { arguments += ["-o", options.joined(separator: ",")] }
        try Tool.run("qemu-img", arguments + [path, size])
        try io(commands)
    }

    /// Makes an image of `bytes` by `qemu-img convert`.
    init(of bytes: [UInt8], arguments: [String]) throws {
        directory = try TemporaryDirectory()
        path = directory.path("disk.qcow2")
        let flat = try directory.write("flat.img", bytes)
        try Tool.run(
            "qemu-img", ["convert", "-q", "-f", "raw", "-O", "qcow2"] + arguments + [flat, path])
    }

    func io(_ commands: [String]) throws {
        guard !commands.isEmpty else { return }
        try Tool.run("qemu-io", ["-f", "qcow2"] + commands.flatMap { ["-c", $0] } + [path])
    }

    /// The guest's bytes as qemu-img reads them.
    func bytesByQEMU() throws -> [UInt8] {
        let flat = directory.path("by-qemu.img")
        try Tool.run("qemu-img", ["convert", "-q", "-f", "qcow2", "-O", "raw", path, flat])
        return try fileBytes(flat)
    }

    /// Throws unless qemu-img finds the image without errors and leaks.
    func check() throws { try Tool.run("qemu-img", ["check", "-q", "-f", "qcow2", path]) }

    /// Leaks aside.
    func checkForErrors() throws {
        try Tool.run("qemu-img", ["check", "-q", "-f", "qcow2", path], expect: nil).requireNoErrors(path)
    }

    func open(_ access: FileAccess = .read) throws -> OpenedImage {
        try ImageProbe.open(path, format: .qcow2, options: ImageOpenOptions(access: access))
    }

    /// All guest bytes, read by this project in pieces of odd size.
    func bytes(piece: Int = 100_003) throws -> [UInt8] {
        let disk = try open().disk
        var result: [UInt8] = []
        while UInt64(result.count) < disk.byteCount {
            let count = min(piece, Int(disk.byteCount) - result.count)
            result += try disk.bytes(at: UInt64(result.count), count: count)
        }
        return result
    }

    /// Changes the file itself.
    func patch(_ body: (inout [UInt8]) -> Void) throws {
        var bytes = try fileBytes(path)
        body(&bytes)
        try directory.write("disk.qcow2", bytes)
    }

    /// The file's bytes.
    var fileContents: [UInt8] { get throws { try fileBytes(path) } }
}

/// What makes a test give up.
struct TestFailure: Error, CustomStringConvertible { let description: String }

extension Tool.Result {
    /// qemu-img check: 0 clean, 3 leaks only.
    func requireNoErrors(_ path: String) throws {
        guard status == 0 || status == 3 else {
            throw TestFailure(description: "qemu-img check \(path) exited \(status): \(errorText)\(text)")
        }
    }
}

/// Bytes that compress well and differ from cluster to cluster, with runs of zeros.
func patternedBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed)
    var bytes = [UInt8](repeating: 0, count: count)
    var position = 0
    while position < count {
        let length = min(Int.random(in: 1...40_000, using: &random), count - position)
        let kind = Int.random(in: 0..<4, using: &random)
        let value = UInt8.random(in: 1...255, using: &random)
        if kind == 1 {
            let noise = random.bytes(min(length, 3000))
            bytes.replaceSubrange(position..<position + noise.count, with: noise)
        } else if kind > 1 {
            bytes.replaceSubrange(
                position..<position + length, with: [UInt8](repeating: value, count: length))
        }
        position += length
    }
    return bytes
}

extension Image {
    /// Space for whole clusters, as `write` takes it, without writing there.
    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        _ = try prepareWriting(at: 0)
        guard let map = map as? any WritableImageMap else {
            throw StorageError(.misuse, layer: "test", code: "not-writable", "cannot be written")
        }
        return try map.allocate(range)
    }
}
