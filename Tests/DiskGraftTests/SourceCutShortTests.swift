import DiskGraft
import Foundation
import Synchronization
import TestSupport
import Testing

/// A source that becomes shorter while it is copied: what is gone is no zeros.
struct SourceCutShortTests {
    @Test(arguments: ["raw", "qcow2", "vhd", "vhdx", "vmdk", "vdi"])
    func theCopyIsGivenUp(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("source.raw", byteCount: 256 << 20)
        let file = try #require(FileHandle(forWritingAtPath: path))
        var random = SeededRandom(1)
        let block = random.block(1 << 20)
        for _ in 0..<192 { try file.write(contentsOf: Data(block)) }
        try file.close()
        let source = try DiskImage.open(path)
        let cutAt = Mutex<UInt64?>(nil)
        var conversion = DiskConversion(format: try ImageFormat(named: format), workers: 1)
        conversion.progress = { done, _ in
            cutAt.withLock { cutAt in
                guard cutAt == nil else { return }
                try? FileHandle(forWritingAtPath: path)?.truncate(atOffset: 128 << 20)
                cutAt = done
            }
        }
        let target = directory.path("copy.\(format)")
        var refusal: StorageError?
        do throws(StorageError) {
            try conversion.run(from: source.device, to: target)
        } catch {
            refusal = error
        }
        // A file system that shares blocks has all of it in the copy by then.
        let isWhole = try #require(cutAt.withLock { $0 }) >= 192 << 20
        guard !isWhole else { return }
        #expect(refusal?.code == "short-file")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["source.raw"])
    }
}
