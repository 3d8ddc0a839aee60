internal import Storage

/// `create`'s options, by the names that qemu-img gives them.
struct QCOW2CreateOptions: Equatable {
    var version: UInt32 = 3
    var clusterBits: UInt32 = 16
    var refcountOrder: UInt32 = 4

    static let all = [
        ImageCreateOption("cluster_size", "bytes of a cluster, a power of two from 512 to 2M; 65536"),
        ImageCreateOption("compat", "1.1 (without it) or 0.10"),
        ImageCreateOption("lazy_refcounts", "off; nothing else is built"),
        ImageCreateOption("preallocation", "off; nothing else is built"),
        ImageCreateOption("refcount_bits", "bits of a reference count, a power of two up to 64; 16"),
    ]

    init(_ options: ImageCreateOptions) throws(StorageError) {
        try options.check(known: Self.all.map(\.name), format: .qcow2)
        if let text = options.value("compat") {
            switch text {
            case "0.10", "v2": version = 2
            case "1.1", "v3": version = 3
            default: throw Self.bad("compat", text, "0.10 or 1.1")
            }
        }
        if let text = options.value("cluster_size") {
            guard let size = Self.size(text), size.nonzeroBitCount == 1, (512...2 << 20).contains(size) else {
                throw Self.bad("cluster_size", text, "a power of two from 512 to 2M")
            }
            clusterBits = UInt32(size.trailingZeroBitCount)
        }
        if let text = options.value("refcount_bits") {
            guard let bits = UInt32(text), bits.nonzeroBitCount == 1, bits <= 64, version == 3 || bits == 16
            else {
                throw Self.bad("refcount_bits", text, "a power of two up to 64, and 16 with compat=0.10")
            }
            refcountOrder = UInt32(bits.trailingZeroBitCount)
        }
        for name in ["lazy_refcounts", "preallocation"] {
            if let text = options.value(name), text != "off" {
                throw Self.bad(name, text, "off; nothing else is built")
            }
        }
    }

    /// "65536", "64k", "64K", "2M".
    private static func size(_ text: String) -> Int? {
        let units: [Character: Int] = ["k": 1 << 10, "K": 1 << 10, "m": 1 << 20, "M": 1 << 20]
        guard let last = text.last, let unit = units[last] else { return Int(text) }
        return Int(text.dropLast()).flatMap { $0 *? unit }
    }

    private static func bad(_ name: String, _ value: String, _ possible: String) -> StorageError {
        .qcow2(.optionValue, "\(name) cannot be \"\(value)\": it is \(possible)")
    }
}
