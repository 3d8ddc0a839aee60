/// A kernel that a boot loader offers: one entry of a menu.
package struct BootEntry: Sendable, Equatable {
    package static func == (left: Self, right: Self) -> Bool {
        left.title == right.title && left.index == right.index && left.kernel == right.kernel
            && left.range == right.range
    }

    /// The title as the menu shows it; nested menus joined by ">", as GRUB 2 names them.
    package var title: String
    /// Its place among the file's entries, from 0.
    package var index: Int
    /// The kernel's path as the loader is told; nil for an entry without one (chain loading).
    package var kernel: String?
    /// The initramfs paths.
    package var initrds: [String] = []
    /// A hypervisor is booted and given the kernel as a module.
    package var isXenMultiboot = false
    /// The kernel's arguments.
    package var commandLine = KernelCommandLine([], in: 0..<0)
    /// Which bytes hold the arguments, for length limits.
    package var argumentsRange: Range<Int>?
    /// Identifiers that a default may be given by, besides title and index (GRUB 2's `--id`).
    package var identifiers: [String] = []
    /// GRUB 2: the index at each level of its menus, and the names (title, identifiers) at each level.
    package var menuPath: [(index: Int, names: [String])] = []
    /// Where the entry begins and ends.
    package var range: Range<Int> = 0..<0
    /// GRUB 2: commands outside any entry, which boot when those before come to them.
    package var isLoose = false
    /// GRUB 2: whether it is in the menu hangs on what only the machine shows.
    package var isUncertain = false
    /// GRUB: the file whose menu the entry shows.
    package var menuFile: String?
    /// GRUB: the loader that the entry starts, as it is written: "+1", "(hd1,0)+1", "/EFI/Microsoft/Boot/bootmgfw.efi".
    package var chainLoader: String?
    /// GRUB: what says where its files lie, in order.
    package var rootSettings: [GRUBRootSetting] = []
    /// GRUB: how many of these come before the kernel, and before each initrd.
    var rootSettingCounts: [Int] = []
    /// Where the initrd's path stands.
    package var initrdRanges: [Range<Int>] = []

    /// GRUB 2: commands of it that not every GRUB has.
    var loaderCommands: [GRUBCommandWord] = []
    /// GRUB 2: its words before variables are put in.
    var grub = GRUBEntryText()
    /// GRUB 2: the arguments that variables on the kernel's line stand for, in order.
    var variableArguments: [VariableArgument] = []
    /// GRUB 2: a variable on the kernel's line may stand for arguments that nobody here knows.
    var hidesArguments = false

    /// Takes one more initramfs file in.
    mutating func addInitrd(_ path: String, _ range: Range<Int>) {
        initrds.append(path)
        initrdRanges.append(range)
        rootSettingCounts.append(rootSettings.count)
    }

    /// What says where the kernel (0) or an initrd (from 1) lies.
    func rootSettings(ofFile index: Int) -> [GRUBRootSetting] {
        index < rootSettingCounts.count ? Array(rootSettings.prefix(rootSettingCounts[index])) : rootSettings
    }

    /// Boots for repair only.
    package var isRescue: Bool {
        let words = title.lowercased()
        return ["recovery", "rescue", "failsafe", "fallback", "single"].contains { words.contains($0) }
            || commandLine.has("single") || commandLine.has("rescue")
    }

    /// Starts a program that is no kernel of a system: a test of the memory, a loader.
    package var isTool: Bool {
        guard let name = kernel?.split(separator: "/").last?.lowercased() else { return true }
        return ["memtest", "mt86", "ipxe", "memdisk"].contains { name.hasPrefix($0) }
    }

    /// The version in the kernel's file name: "2.6.18-164.el5xen" of "/vmlinuz-2.6.18-164.el5xen".
    package var kernelRelease: String? {
        guard let name = kernel?.split(separator: "/").last, let dash = name.firstIndex(of: "-") else {
            return nil
        }
        let rest = name[name.index(after: dash)...]
        return rest.first?.isNumber == true ? String(rest) : nil
    }

    /// The numbers at the head of the release: [2, 6, 18].
    package var kernelVersion: [Int]? { Self.version(kernelRelease) }

    /// The numbers at the head of a release.
    package static func version(_ release: String?) -> [Int]? {
        guard let head = release?.prefix(while: { $0.isNumber || $0 == "." }) else { return nil }
        let numbers = head.split(separator: ".").compactMap { DiskName.smallNumber($0) }
        return numbers.count >= 2 ? numbers : nil
    }

    /// A kernel built for Xen's own interface alone: it boots on nothing else.
    package var looksXenOnly: Bool {
        guard let name = kernel?.split(separator: "/").last?.lowercased() else { return false }
        return name.hasSuffix("xen") || name.contains("-xen") || name.hasSuffix("xenu")
            || name.hasSuffix("xen0")
            || name.contains(".xs5.") || name.contains(".xs4.") || name.contains(".xs3.")
    }
}

/// Whether a version is below another: [2, 6, 18] < [2, 6, 22].
func isVersion(_ version: [Int], below other: [Int]) -> Bool { version.lexicographicallyPrecedes(other) }
