internal import GuestTree
internal import Initramfs
internal import Storage

/// What makes one generator's initramfs load modules that were added to it. Adding one takes a file with a type, and its
/// line in `LoadHooks.all`.
protocol LoadHook: Sendable {
    /// Whether the image is one that it knows.
    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool
    /// The files of the image whose bytes it needs.
    static var reads: [String] { get }
    /// Adds the modules and what loads them. `overlay.loaded` becomes what is loaded.
    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError)
}

extension LoadHook {
    static var reads: [String] { [] }
}

/// Every hook.
package enum LoadHooks {
    static let all: [any LoadHook.Type] = [
        InitramfsToolsHook.self,
        DracutHook.self,
        NashHook.self,
        SUSEHook.self,
        MkinitcpioHook.self,
        BoosterHook.self,
        HotplugHook.self,
    ]

    /// Whether a hook needs the bytes of the file at this path of an image, of so many bytes.
    package static func wants(_ path: [UInt8], _ size: UInt64) -> Bool {
        size <= UInt64(configurationLimit)
            && all.contains { $0.reads.contains { path.elementsEqual($0.utf8) } }
    }

    /// The hook for an image. Throws `refused`, code "no-load-hook".
    static func hook(
        for report: InitramfsReport, _ contents: InitramfsContents
    ) throws(StorageError) -> any LoadHook.Type {
        if let hook = all.first(where: { $0.knows(report, contents) }) { return hook }
        let maker = report.generator == .unknown ? "" : " by \(report.generator.name)"
        throw .overlay(
            .noHook, "nobody knows what would load further modules in an initramfs that was made\(maker)")
    }
}
