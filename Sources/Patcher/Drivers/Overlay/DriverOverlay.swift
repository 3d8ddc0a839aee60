package import Initramfs
package import KernelModules
package import Storage

/// What an overlay is made from: a kernel with its initramfs, and the modules that it lacks.
package struct OverlayRequest {
    /// The initramfs, read with `InitramfsReport.read(_:alsoWhere:)` and `LoadHooks.wants`.
    package var contents: InitramfsContents
    /// What it is.
    package var report: InitramfsReport
    /// The kernel's modules.
    package var tree: ModuleTree
    /// What is missing, each before what needs it.
    package var missing: [KernelModule]

    /// A request.
    package init(
        contents: InitramfsContents, report: InitramfsReport, tree: ModuleTree, missing: [KernelModule]
    ) {
        self.contents = contents
        self.report = report
        self.tree = tree
        self.missing = missing
    }
}

/// Drivers that are added to an initramfs: the guest's own modules, and what makes the initramfs load them. Nothing of the
/// image itself changes.
package struct DriverOverlay: Sendable, Equatable {
    /// The files.
    package var files: InitramfsOverlay
    /// Where they are put.
    package var placement: OverlayPlacement
    /// The modules that they load, in the order in which they are loaded.
    package var modules: [String]

    /// Makes one. Throws `refused` where the initramfs takes none: code "no-load-hook" when nothing of it would load the
    /// modules, "no-place" when Linux would not unpack them; and what reading the modules throws.
    package static func make(_ request: OverlayRequest) throws(StorageError) -> DriverOverlay {
        let hook = try LoadHooks.hook(for: request.report, request.contents)
        let placement = try request.contents.overlayPlacement()
        var overlay = DriverOverlay(files: InitramfsOverlay(), placement: placement, modules: [])
        try hook.add(request, to: &overlay)
        try request.contents.check(overlay.files, at: placement)
        return overlay
    }
}
