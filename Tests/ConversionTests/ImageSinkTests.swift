import Conversion
import ImageFormats
import Storage
import TestSupport
import Testing

/// New images of every format as sinks.
@Suite struct ImageSinkTests {
    @Test(arguments: ImageFormat.allCases.filter(\.isMade), [1, 3])
    func everyFormatHoldsTheDisk(_ format: ImageFormat, _ workers: Int) throws {
        let directory = try TemporaryDirectory()
        let bytes = SinkTests.disk()
        let path = directory.path("disk")
        do {
            let image = try ImageProbe.driver(for: format).create(
                path, byteCount: UInt64(bytes.count), options: ImageCreateOptions())
            try Converter(source: MemoryDevice(bytes), sink: image).run(workers: workers)
        }
        let disk = try ImageProbe.open(path, format: format).disk
        #expect(isSame(Array(try disk.bytes(at: 0, count: Int(disk.byteCount)).prefix(bytes.count)), bytes))
        var findings: [Finding] = []
        try ImageProbe.check(path, format: format) { findings.append($0) }
        #expect(findings.filter { $0.severity != .note } == [])
    }
}
