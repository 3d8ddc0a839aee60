package import Storage

extension ImageCreateOptions {
    /// The value of a switch: on or off, as qemu-img writes them; `fallback` when it is not given.
    package func flag(
        _ key: String, default fallback: Bool, format: ImageFormat
    ) throws(StorageError) -> Bool {
        guard let text = value(key) else { return fallback }
        switch text.lowercased() {
        case "on", "yes", "true", "1": return true
        case "off", "no", "false", "0": return false
        default: throw badValue(key, "on or off", format)
        }
    }

    /// The value of a size in bytes, with an optional suffix K, M, G or T; nil when it is not given.
    package func byteCount(_ key: String, format: ImageFormat) throws(StorageError) -> UInt64? {
        guard let text = value(key) else { return nil }
        let shifts: [Character: UInt64] = ["b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        var digits = Substring(text.lowercased())
        var shift: UInt64 = 0
        if let last = digits.last, let known = shifts[last] {
            shift = known
            digits = digits.dropLast()
        }
        guard let number = UInt64(digits), let size = number *? (1 << shift) else {
            throw badValue(key, "a number of bytes such as 1048576 or 1M", format)
        }
        return size
    }

    /// Throws `misuse` for the one option of qemu-img's that is known and has a single value here.
    func requireNoPreallocation(_ format: ImageFormat) throws(StorageError) {
        guard let text = value("preallocation"), text != "off" else { return }
        throw badValue("preallocation", "off, because nothing else is built", format)
    }

    /// A `misuse` that says what `key` takes.
    package func badValue(_ key: String, _ takes: String, _ format: ImageFormat) -> StorageError {
        StorageError(
            .misuse, ImageCode.badOption, "option \"\(key)\" takes \(takes), not \"\(value(key) ?? "")\"",
            layerName: format.rawValue)
    }
}
