package import GuestTree
package import Initramfs

/// An overlay with its place in the guest: what the plan's steps make a file of, and put into menus.
package struct PlannedOverlay: Sendable {
    /// What decides whether entries share it.
    var key: OverlayKey
    /// The kernels' starts that it is for.
    package var starts: [KernelStart]
    /// What is added.
    package var overlay: DriverOverlay
    /// The kernel's release.
    package var release: String
    /// The names of its modules, in the order of loading.
    package var modules: [String]
    /// Paths of the initramfs' configuration that it has in other words.
    package var corrections: [String]
    /// The drivers of the controller and of the root's layers, those that the image has too.
    package var drivers: [String]
    /// The initramfs file that it lies beside.
    package var image: GuestFile
    /// Its directory.
    package var directory: GuestFile
    /// The new file's name.
    package var name: String
    /// The new file's bytes: the overlay, or a whole image with it where the loader takes one file only.
    package var contents: [UInt8]
    /// The new file is a whole image, in place of the old one.
    package var isWhole: Bool
    /// What made the image.
    package var generator: InitramfsGenerator
    /// The file that it takes the place of: what an earlier plan added. Menus name that already.
    var replaces: ReplacedFile?
    /// What such a start is once it is there.
    package var after: StartFacts

    /// What the loader is told of the new file, from what it is told of the image: the same directory.
    package func loaderPath(from initrd: String) -> String {
        guard let slash = initrd.lastIndex(of: "/") else { return name }
        return initrd[...slash] + name
    }

    /// Whether a loader's path names the new file.
    func isMeant(by initrd: String) -> Bool { initrd.split(separator: "/").last.map(String.init) == name }
}
