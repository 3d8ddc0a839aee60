// ReadBenchmark read IMAGE    reads every byte of the disk that the image does not call zero, 1 MiB at a time
// ReadBenchmark open IMAGE    opens the image, its partitions and every file system on it, and reads one file of each
import DiskGraft
import Storage

let arguments = CommandLine.arguments
guard arguments.count == 3 else { fatalError("ReadBenchmark read|open IMAGE") }

switch arguments[1] {
case "read":
    let device = try DiskImage.open(arguments[2]).device
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var position: UInt64 = 0
    var total: UInt64 = 0
    while position < device.byteCount {
        let extent = try device.nextExtent(at: position)
        var start = position
        position = extent.range.upperBound
        if extent.kind == .zero { continue }
        while start < position {
            let count = Int(min(position - start, 1 << 20))
            try buffer.withMutableBytes { (span) throws(StorageError) in
                var part = span.part(0..<count)
                try device.read(into: &part, at: start)
            }
            start += UInt64(count)
            total += UInt64(count)
        }
    }
    print(total)
case "open":
    let guest = try Guest.open([arguments[2]])
    let files = try guest.files()
    print(guest.volumes.count, try files.entries(of: try files.find("/etc")).count)
default:
    fatalError("ReadBenchmark read|open IMAGE")
}
