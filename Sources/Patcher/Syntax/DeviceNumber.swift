/// A device by its number, as the kernel takes it in `root=`: hexadecimal digits, or MAJOR:MINOR (init/do_mounts.c). LILO's
/// users have such arguments.
package struct DeviceNumber: Equatable, Sendable {
    /// The driver's number.
    package var major: Int
    /// Which of the driver's devices.
    package var minor: Int

    /// Reads "0803", "0x803" or "8:3"; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let major = DiskName.smallNumber(parts[0]), let minor = DiskName.smallNumber(parts[1])
            else { return nil }
            self.major = major
            self.minor = minor
            return
        }
        let digits = text.hasPrefix("0x") ? text.dropFirst(2) : text[...]
        guard (3...8).contains(digits.utf8.count), text.first?.isNumber == true,
            let number = UInt32(digits, radix: 16)
        else { return nil }
        // As the kernel has packed them since 2.6.
        major = Int(number >> 8 & 0xfff)
        minor = Int(number & 0xff | number >> 12 & 0xfff00)
    }

    /// The device's name, where every kernel gives the number to the same driver; nil where it is given as drivers come.
    package var path: String? {
        switch major {
        case 3: Self.path("hd", minor / 64, minor % 64)
        case 22: Self.path("hd", 2 + minor / 64, minor % 64)
        case 8: Self.path("sd", minor / 16, minor % 16)
        case 65...71: Self.path("sd", (major - 64) * 16 + minor / 16, minor % 16)
        case 202: Self.path("xvd", minor / 16, minor % 16)
        case 9: "/dev/md\(minor)"
        default: nil
        }
    }

    private static func path(_ family: String, _ disk: Int, _ partition: Int) -> String? {
        guard let family = DiskName.Family(rawValue: family) else { return nil }
        return "/dev/" + DiskName.letters(family, disk) + (partition == 0 ? "" : "\(partition)")
    }
}
