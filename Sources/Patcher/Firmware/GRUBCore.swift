internal import Storage

/// What is built into a GRUB for UEFI: where it looks for its configuration (GRUB's include/grub/kernel.h: `mods`
/// begins with a `grub_module_info64`, or `grub_module_info32` for 32 bits, behind which modules lie one after the other).
package struct GRUBCore: Sendable, Equatable {
    /// The directory of its configuration: "/EFI/debian" of the partition that it was started from, or
    /// "(,gpt2)/boot/grub".
    package var prefix: String?
    /// The script that runs before the configuration is looked for.
    package var script: String?
    /// Of the commands that not every GRUB has those that a module in it has; nil where no module in it loads a kernel.
    var commands: Set<String>?

    /// Reads the section `mods`; nil where it is none of GRUB's.
    package init?(modules bytes: [UInt8], is32Bits: Bool = false) {
        guard bytes.count >= (is32Bits ? 12 : 24), bytes.starts(with: Array("mimg".utf8)) else { return nil }
        let first = is32Bits ? UInt64(bytes.little(4, as: UInt32.self)) : bytes.little(8, as: UInt64.self)
        let end = is32Bits ? UInt64(bytes.little(8, as: UInt32.self)) : bytes.little(16, as: UInt64.self)
        guard var offset = Int(exactly: first), let end = Int(exactly: end) else { return nil }
        // A module's texts end in NUL. A name that is part of another's end does no harm: it is taken for known.
        if bytes.holds("linux\0") {
            commands = Set(GRUBCommandWord.common.keys.filter { bytes.holds("\($0)\0") })
        }
        // A core of all modules has about two hundred.
        for _ in 0..<1000 {
            guard let head = offset +? 8, head <= min(end, bytes.count) else { break }
            let size = Int(bytes.little(offset + 4, as: UInt32.self))
            guard size >= 8, let next = offset +? size, next <= bytes.count else { break }
            let text = String(decoding: bytes[head..<next].prefix { $0 != 0 }, as: UTF8.self)
            switch bytes.little(offset, as: UInt32.self) {
            case 2: script = text
            case 3: prefix = text
            default: break
            }
            offset = next
        }
    }
}
