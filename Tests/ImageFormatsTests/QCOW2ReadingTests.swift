import ImageFormats
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct QCOW2ReadingTests {
    @Test(arguments: ["512", "4096", "65536", "2M"])
    func readsWhatQEMUWrote(clusterSize: String) throws {
        let bytes = patternedBytes(5 << 20, seed: 11)
        for arguments in [
            ["-o", "cluster_size=\(clusterSize)"], ["-c", "-o", "cluster_size=\(clusterSize)"],
            ["-o", "cluster_size=\(clusterSize),compat=0.10"],
        ] {
            let fixture = try QCOW2Fixture(of: bytes, arguments: arguments)
            #expect(try fixture.bytes() == bytes, "\(arguments)")
        }
    }

    @Test func readsZstandard() throws {
        let bytes = patternedBytes(3 << 20, seed: 12)
        let fixture = try QCOW2Fixture(of: bytes, arguments: ["-c", "-o", "compression_type=zstd"])
        #expect(try fixture.bytes() == bytes)
        let info = try ImageProbe.describe(fixture.path)
        #expect(info.details.contains(.init("compression type", "zstd")))
    }

    @Test func readsADiskThatEndsWithinACluster() throws {
        let bytes = patternedBytes((1 << 20) + 512, seed: 13)
        for arguments in [[], ["-c"]] {
            let fixture = try QCOW2Fixture(of: bytes, arguments: arguments)
            #expect(try fixture.open().disk.byteCount == UInt64(bytes.count))
            #expect(try fixture.bytes() == bytes)
        }
    }

    @Test func extentsAreMergedAndTellZerosFromHoles() throws {
        let fixture = try QCOW2Fixture("1G", commands: ["write -P 7 1M 3M", "write -z 8M 1M"])
        let disk = try fixture.open().disk
        let first = try disk.map.extent(at: 0)
        #expect(first == Extent(range: 0..<1 << 20, kind: .absent))
        let data = try disk.map.extent(at: 1 << 20)
        #expect(data.range == 1 << 20..<4 << 20)
        guard case .plain(0, _) = data.kind else { throw TestFailure(description: "\(data)") }
        #expect(try disk.map.extent(at: 8 << 20) == Extent(range: 8 << 20..<9 << 20, kind: .zero))
        #expect(try disk.nextExtent(at: 9 << 20).kind == .zero)
        #expect(try disk.nextExtent(at: 512 << 20).range == 512 << 20..<1 << 30)
        // The middle of a cached extent.
        #expect(try disk.map.extent(at: 2 << 20).range == 2 << 20..<4 << 20)
        #expect(try disk.bytes(at: (4 << 20) - 2, count: 4) == [7, 7, 0, 0])
    }

    @Test func aPreallocatedZeroClusterReadsAsZeros() throws {
        let fixture = try QCOW2Fixture("4M", commands: ["write -P 9 0 1M", "write -z 0 512k"])
        let disk = try fixture.open().disk
        #expect(try disk.bytes(at: 0, count: 4) == [0, 0, 0, 0])
        #expect(try disk.bytes(at: 512 << 10, count: 2) == [9, 9])
        #expect(try fixture.bytes() == fixture.bytesByQEMU())
    }

    @Test func manyThreadsReadAtOnce() async throws {
        let bytes = patternedBytes(4 << 20, seed: 14)
        let fixture = try QCOW2Fixture(of: bytes, arguments: ["-c", "-o", "cluster_size=4096"])
        let disk = try fixture.open().disk
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var random = SeededRandom(UInt64(task))
                    return (0..<50).allSatisfy { _ in
                        let offset = Int.random(in: 0..<bytes.count - 9000, using: &random)
                        return (try? disk.bytes(at: UInt64(offset), count: 9000))
                            == Array(bytes[offset..<offset + 9000])
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test func aDirtyImageIsReadWithAWarningAndNotWritten() throws {
        let fixture = try QCOW2Fixture("4M", commands: ["write -P 3 0 64k"])
        try fixture.patch { $0[79] |= 1 }
        #expect(try fixture.open().info.warnings.contains { $0.contains("not closed") })
        #expect(try fixture.open().disk.bytes(at: 0, count: 1) == [3])
        #expect(throwsCode("dirty") { try fixture.open(.write) })
    }

    @Test func aCorruptImageIsReadWithAWarningAndNotWritten() throws {
        let fixture = try QCOW2Fixture("4M")
        try fixture.patch { $0[79] |= 2 }
        #expect(try fixture.open().info.warnings.contains { $0.contains("corrupt") })
        #expect(throwsCode("marked-corrupt") { try fixture.open(.write) })
    }

    @Test func anImageWithSnapshotsIsReadAndNotWritten() throws {
        let fixture = try QCOW2Fixture("4M", commands: ["write -P 3 0 64k"])
        try Tool.run("qemu-img", ["snapshot", "-c", "before", fixture.path])
        try fixture.io(["write -P 4 0 64k"])
        #expect(try fixture.open().disk.bytes(at: 0, count: 1) == [4])
        #expect(try fixture.open().info.details.contains(.init("snapshots", "1")))
        #expect(throwsCode("snapshots") { try fixture.open(.write) })
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func readsARealCompressedImage() throws {
        let directory = try TemporaryDirectory()
        let path = try SharedSamples.unpack("formats/dissect/basic.qcow2.gz", into: directory)
        let disk = try ImageProbe.open(path).disk
        #expect(disk.byteCount == 512 << 20)
        for index in 0..<255 {
            let bytes = try disk.bytes(at: UInt64(index) << 20, count: 64 << 10)
            #expect(bytes == [UInt8](repeating: UInt8(index), count: 64 << 10), "MiB \(index)")
        }
        #expect(try disk.bytes(at: 300 << 20, count: 512).allSatisfy { $0 == 0 })
    }
}

/// Whether `body` throws this error code of this format.
func throwsCode<T>(_ code: String, _ body: () throws -> T) -> Bool {
    do {
        _ = try body()
        return false
    } catch let error as StorageError {
        if error.layer != "qcow2" || error.code != code { print("unexpected: \(error.code): \(error)") }
        return error.layer == "qcow2" && error.code == code
    } catch {
        return false
    }
}
